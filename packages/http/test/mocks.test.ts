import http, { Agent, ClientRequest, type IncomingMessage, OutgoingMessage } from 'node:http'
import net, { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { runInLane } from '@laneway/core'
import type { EgressResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { createAgentPatch } from '@laneway/http/internal'
import { fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { farServer } from './far-server.js'

/** A socket that answers by itself, as the mocks make them that put an agent of their own in place of the caller's. */
class MockSocket extends Socket {
  readonly #real: (() => Socket) | undefined

  constructor(real: (() => Socket) | undefined) {
    super()
    this.#real = real
    Object.assign(this, { connecting: true })
    setImmediate(() => {
      Object.assign(this, { connecting: false })
      this.emit('connect')
    })
  }

  override write(...args: any[]): boolean {
    const head = String(args[0])
    const real = this.#real?.()
    if (real === undefined) {
      const tag = /x-mse-tag: (.*)\r/i.exec(head)?.[1] ?? 'none'
      setImmediate(() => this.push(`HTTP/1.1 200 OK\r\nContent-Length: ${5 + tag.length}\r\n\r\nmock ${tag}`))
    } else {
      real.write(head)
      real.on('data', chunk => this.push(chunk))
      real.on('error', error => this.destroy(error))
    }
    for (const arg of args) if (typeof arg === 'function') arg()
    return true
  }

  override _read(): void {}
}

function patched(t: Test, resolver: EgressResolver, through: boolean, options: http.AgentOptions = {}): Agent {
  class Patched extends Agent {}
  createAgentPatch({ resolver, warn() {} }, error => t.fail(String(error))).patchAgents(Patched.prototype)
  class MockAgent extends Patched {
    override createConnection(options: any, callback?: any): any {
      t.equal(options.host, 'sc-b', 'a mock is asked for the name of the service')
      return new MockSocket(through ? () => super.createConnection(options, callback) as Socket : undefined)
    }
  }
  const agent = new MockAgent(options)
  t.teardown(() => agent.destroy())
  return agent
}

function get(agent: Agent, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const answer = (response: IncomingMessage) => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    }
    http.get(`http://sc-b${path}`, { agent }, answer).on('error', reject)
  })
}

t.test('a mocked call to a service stays in the mock, which sees the tag', async t => {
  const far = await farServer(t)
  const known = fakeResolver({ 'sc-b': [{ port: far.port }] })
  const empty = fakeResolver({ 'sc-b': [] })
  const waiting = fakeResolver({ 'sc-b': undefined })
  for (const [name, resolver] of Object.entries({ known, empty, waiting })) {
    t.equal(await runInLane('gray', get, patched(t, resolver, false)), 'mock gray', name)
    t.equal(await get(patched(t, resolver, false)), 'mock none', name)
    t.equal(resolver.starts.length, resolver.ends.length)
  }
  t.equal(far.seen.length, 0)
})

t.test('a call that a mock lets through goes to an endpoint of its lane', async t => {
  const base = await farServer(t)
  const gray = await farServer(t)
  const endpoints = [{ port: base.port }, { port: gray.port, tag: 'gray' }]
  const known = fakeResolver({ 'sc-b': endpoints })
  const waiting = fakeResolver({ 'sc-b': undefined })
  waiting.lookup = async () => {
    await new Promise(setImmediate)
    waiting.services['sc-b'] = endpoints
  }
  for (const resolver of [known, waiting]) {
    await runInLane('gray', get, patched(t, resolver, true), '/gray')
    await get(patched(t, resolver, true), '/base')
  }
  t.strictSame(
    [gray, base].map(far => far.seen.map(({ url, tags }) => `${url} ${tags}`)),
    [
      ['/gray gray', '/gray gray'],
      ['/base ', '/base '],
    ],
  )
})

t.test('a connection that an agent makes in its own way is led to the endpoint', async t => {
  const far = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: far.port }] })
  class Patched extends Agent {}
  createAgentPatch({ resolver, warn() {} }, error => t.fail(String(error))).patchAgents(Patched.prototype)
  const made: string[] = []
  class Own extends Patched {
    override createConnection(options: any): any {
      made.push(options.host)
      return net.connect(options)
    }

    override getName(): string {
      return 'all in one'
    }
  }
  const agent = new Own({ keepAlive: true })
  t.teardown(() => agent.destroy())
  await get(agent)
  await get(agent)
  t.strictSame(made, ['sc-b'])
  t.strictSame(Object.keys(agent.freeSockets), [`all in one:127.0.0.1:${far.port}`])
})

t.test('a connection that is no socket stays as its creator made it', async t => {
  const resolver = fakeResolver({ 'sc-b': [{ port: 9 }] })
  class Patched extends Agent {}
  createAgentPatch({ resolver, warn() {} }, error => t.fail(String(error))).patchAgents(Patched.prototype)
  class Own extends Patched {
    override createConnection(): any {
      const stream = new Duplex({
        read() {},
        write(_chunk, _encoding, done) {
          stream.push('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nstream')
          stream.push(null)
          done()
        },
      })
      return Object.assign(stream, { setTimeout() {}, setKeepAlive() {}, setNoDelay() {}, ref() {}, unref() {} })
    }
  }
  const agent = new Own()
  t.teardown(() => agent.destroy())
  t.equal(await get(agent), 'stream')
})

/** An agent that a mock puts in place of a LaneAgent. */
function standing(t: Test, resolver: EgressResolver, through: boolean): Agent {
  const own = new LaneAgent({ resolver, warn() {} })
  class Standing extends Agent {
    readonly customAgent = own
    override createConnection(options: any, callback?: any): any {
      t.equal(options.host, 'sc-b', 'a mock is asked for the name of the service')
      const create = (own as any).createConnection
      return new MockSocket(
        through ? () => create.call(own, { ...options, ...(own as any).options }, callback) : undefined,
      )
    }
  }
  const agent = new Standing()
  t.teardown(() => {
    agent.destroy()
    own.destroy()
  })
  return agent
}

t.test('a mock that stands in for a LaneAgent sees the tag', async t => {
  const resolver = fakeResolver({ 'sc-b': [{ port: 9 }] })
  const agent = standing(t, resolver, false)
  t.equal(await runInLane('gray', get, agent), 'mock gray')
  t.equal(await get(agent), 'mock none')
  t.equal(resolver.starts.length, resolver.ends.length)
})

t.test('what a mock in place of a LaneAgent lets through goes to an endpoint of its lane', async t => {
  const base = await farServer(t)
  const gray = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] })
  const agent = standing(t, resolver, true)
  await runInLane('gray', get, agent, '/gray')
  await get(agent, '/base')
  t.strictSame(
    [gray, base].map(far => far.seen.map(({ url, tags }) => `${url} ${tags}`)),
    [['/gray gray'], ['/base ']],
  )
})

/** What a mock sees of a call when it makes requests as nock up to 13 does: the constructor of Node is never called. */
async function mocked(prototype: ClientRequest, hostname: string, tag?: string, agent?: Agent): Promise<unknown> {
  const request = Object.create(prototype) as ClientRequest
  Reflect.apply(OutgoingMessage as unknown as () => void, request, [])
  const options = { proto: 'http', hostname, host: `${hostname}:80`, port: 80, agent }
  Object.assign(request, { interceptors: [{}], options, path: '/', method: 'GET' })
  if (tag !== undefined) request.setHeader('x-mse-tag', tag)
  await new Promise<void>(resolve => process.nextTick(resolve))
  return request.getHeaders()['x-mse-tag']
}

t.test('a mock that replaces ClientRequest sees the tag in scope, and none elsewhere', async t => {
  const resolver = fakeResolver({ 'sc-b': [{ port: 9 }] })
  class Patched extends ClientRequest {}
  createAgentPatch({ resolver, warn() {} }, error => t.fail(String(error))).patchMocks(Patched.prototype)
  class Replaced extends Patched {}
  const own = new LaneAgent({ resolver, warn() {} })
  t.teardown(() => own.destroy())
  class OfNode extends ClientRequest {}
  for (const [prototype, agent] of [[Replaced.prototype, undefined] as const, [OfNode.prototype, own] as const]) {
    const seen = (hostname: string, tag?: string) => mocked(prototype, hostname, tag, agent)
    t.equal(await runInLane('gray', seen, 'sc-b'), 'gray')
    t.equal(await runInLane('gray', seen, 'peer.internal'), 'gray')
    t.equal(await runInLane('gray', seen, 'peer.internal', 'blue'), 'blue')
    t.equal(await runInLane('gray', seen, 'third.example'), undefined)
    t.equal(await runInLane('gray', seen, 'third.example', 'blue'), undefined)
    t.equal(await seen('sc-b'), undefined)
  }
  t.equal(await runInLane('gray', mocked, OfNode.prototype, 'sc-b'), undefined, 'a call without a LaneAgent')
  t.equal(resolver.starts.length, 0)
})
