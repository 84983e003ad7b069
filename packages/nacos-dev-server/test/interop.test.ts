import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startServer } from './fixture.js'
import { instance, Peer, register, subscribe } from './peer.js'

interface Told {
  readonly id?: number
  readonly event?: string
  readonly value?: any
  readonly error?: string
}

/** A client that is not ours, in a process of its own. */
class Native {
  readonly #child: ChildProcess
  readonly #told: Told[] = []
  #waiting: (() => void)[] = []
  #lastId = 0

  constructor(t: Test, ...args: string[]) {
    // It logs and caches under the home directory.
    const home = mkdtempSync(join(tmpdir(), 'laneway-native-'))
    this.#child = fork('packages/nacos-dev-server/test/interop-client.ts', args, {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, HOME: home, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: Told) => {
      this.#tell(message)
    })
    this.#child.once('exit', code => {
      this.#tell({ event: 'exit', error: `the client ended with ${code}` })
    })
    t.teardown(async () => {
      if (this.#child.exitCode === null && this.#child.signalCode === null) {
        const ended = new Promise(resolve => this.#child.once('exit', resolve))
        this.kill()
        await ended
      }
      rmSync(home, { recursive: true, force: true })
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async next(matches: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.#told.find(matches)
      const exit = this.#told.find(({ event }) => event === 'exit')
      if (found === undefined && exit !== undefined) throw new Error(exit.error)
      if (found !== undefined) {
        this.#told.splice(this.#told.indexOf(found), 1)
        return found
      }
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
  }

  #tell(told: Told): void {
    this.#told.push(told)
    for (const look of this.#waiting.splice(0)) look()
  }

  event(event: string, matches: (value: any) => boolean = () => true): Promise<Told> {
    return this.next(told => told.event === event && matches(told.value))
  }

  async call(command: string, ...args: unknown[]): Promise<any> {
    const id = ++this.#lastId
    this.#child.send({ id, command, args })
    const { value, error } = await this.next(told => told.id === id)
    if (error !== undefined) throw new Error(error)
    return value
  }
}

const ports =
  (...wanted: number[]) =>
  (list: readonly { port: number }[]): boolean =>
    list
      .map(({ port }) => port)
      .sort()
      .join() === wanted.join()

/** There is no build of the native client for every platform. */
let skip: string | false = false
try {
  createRequire(import.meta.url)('nacos-sdk-rust-binding-node')
} catch (error) {
  skip = `the native client does not load: ${error}`
}

for (const dialect of ['3.1.0', '2.5.0', '2.2.3'] as const) {
  t.test(
    `a client of another make registers, subscribes and sees others come and go on ${dialect}`,
    { skip },
    async t => {
      const server = await startServer(t, { dialect })
      const native = new Native(t, server.address)
      await native.event('up')
      const gray = { ip: '10.1.0.1', port: 8081, metadata: { 'alicloud.service.tag': 'gray' } }
      await native.call('register', 'sc-b', gray)
      t.match(server.instances('sc-b'), [gray])
      const peer = await Peer.setUp(server.grpcAddress)
      t.teardown(() => peer.close())
      await peer.ask(...subscribe('sc-b'))
      t.match(await peer.ports('sc-b', 8081), { hosts: [gray] })

      await native.call('subscribe', 'sc-b')
      await native.event('instances', ports(8081))
      await peer.ask(...register('sc-b', 8082))
      await native.event('instances', ports(8081, 8082))
      t.ok(ports(8081, 8082)(await native.call('list', 'sc-b')))
      peer.close()
      await native.event('instances', ports(8081))
      await native.call('deregister', 'sc-b', gray)
      await native.event('instances', ports())
      native.kill()
      await server.until(({ sessions }) => sessions().length === 0)
    },
  )
}

t.test('a client of another make publishes, reads, listens and removes configs', { skip }, async t => {
  const server = await startServer(t)
  const native = new Native(t, server.address)
  await native.event('up')
  await native.call('publish', 'rules', 'one')
  t.match(server.configs(), [{ dataId: 'rules', tenant: '', content: 'one' }])
  await native.call('listen', 'rules')
  await server.until(({ configListeners }) => configListeners().length === 1)
  const peer = await Peer.setUp(server.grpcAddress)
  t.teardown(() => peer.close())
  // Not read in between: what this client has read it does not tell its listeners.
  for (const content of ['two', 'three', 'four']) {
    await peer.ask('ConfigPublishRequest', { dataId: 'rules', group: 'DEFAULT_GROUP', tenant: '', content })
    await native.event('config', told => told === content)
  }
  t.equal(await native.call('read', 'rules'), 'four')
  await native.call('remove', 'rules')
  t.same(server.configs(), [])
})

t.test('a client of another make logs in', { skip }, async t => {
  const server = await startServer(t, { auth: { users: { nacos: 'secret' } } })
  const native = new Native(t, server.address, 'nacos', 'secret')
  await native.event('up')
  await native.call('register', 'sc-b', instance(8081))
  t.match(server.instances('sc-b'), [{ port: 8081 }])
})
