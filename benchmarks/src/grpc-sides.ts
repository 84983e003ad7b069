import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from './case.js'

const SCRIPT = fileURLToPath(new URL('servers/grpc-side.js', import.meta.url))

/** How a client is built, and the tag of its calls; `''` for none. */
export interface ClientKind {
  readonly client: 'plain' | 'hand' | 'lane'
  readonly tag: string
}

/** How a server is built, and the tag of the calls that it gets. */
export interface ServerKind {
  readonly server: 'plain' | 'context' | 'hook' | 'interceptor'
  readonly tag: string
}

interface Answer {
  readonly cpu: number
  readonly answer: string
  readonly ports: readonly number[]
}

async function next(child: ChildProcess): Promise<Answer> {
  const [answer] = await once(child, 'message')
  return answer
}

async function start(...args: readonly (string | number)[]): Promise<[ChildProcess, readonly number[]]> {
  const options = { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] as const }
  const child = fork(SCRIPT, args.map(String), { ...options, stdio: [...options.stdio] })
  return [child, (await next(child)).ports]
}

function ask(child: ChildProcess, message: 'cpu' | 'old' | { calls: number; to: number }): Promise<Answer> {
  child.send(message)
  return next(child)
}

/** Two clients, or two servers, each in a process of its own, and one plain process at the other end of both. */
export class GrpcSides {
  readonly #other: ChildProcess
  readonly #sides: readonly ChildProcess[]
  readonly #expected: readonly string[]
  readonly #measures: 'client' | 'server'

  private constructor(
    measures: 'client' | 'server',
    other: ChildProcess,
    sides: readonly ChildProcess[],
    tags: readonly string[],
  ) {
    this.#measures = measures
    this.#other = other
    this.#sides = sides
    this.#expected = tags.map(tag => (tag === '' ? 'base ' : `gray ${tag}`))
  }

  static async clients(kinds: readonly ClientKind[]): Promise<GrpcSides> {
    const [server, ports] = await start('server', 'plain')
    const clients = kinds.map(async ({ client, tag }) => (await start('client', client, tag, ...ports))[0])
    const tags = kinds.map(({ tag }) => tag)
    return new GrpcSides('client', server, await Promise.all(clients), tags)
  }

  /** The calls to both servers carry the same tag: they come from one client. */
  static async servers(kinds: readonly ServerKind[]): Promise<GrpcSides> {
    const { tag } = kinds[0]!
    const servers = await Promise.all(kinds.map(({ server }) => start('server', server)))
    const ports = servers.flatMap(([, ports]) => ports)
    const [client] = await start('client', 'plain', tag, ...ports)
    const sides = servers.map(([child]) => child)
    return new GrpcSides(
      'server',
      client,
      sides,
      kinds.map(() => tag),
    )
  }

  /** Lets all processes compile and collect what a long life would have. */
  async warm(calls: number): Promise<void> {
    // In turns, as they will be measured: what a short life compiles depends on what came first.
    const part = calls >> 3
    for (let done = 0; done < calls; done += part) {
      for (const index of this.#sides.keys()) await this.block(index, part)
      if (done < calls >> 1) for (const child of [this.#other, ...this.#sides]) await ask(child, 'old')
    }
  }

  /** Processor time that the measured process has used for one call of a block, in microseconds. */
  async block(index: number, calls: number): Promise<number> {
    const side = this.#sides[index]!
    if (this.#measures === 'client') {
      const { cpu, answer } = await ask(side, { calls, to: 0 })
      this.#check(index, answer)
      return cpu / calls
    }
    const before = await ask(side, 'cpu')
    const { answer } = await ask(this.#other, { calls, to: index })
    this.#check(index, answer)
    return ((await ask(side, 'cpu')).cpu - before.cpu) / calls
  }

  async close(): Promise<void> {
    for (const child of [...this.#sides, this.#other]) {
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    }
  }

  #check(index: number, answer: string): void {
    const wanted = this.#expected[index]
    expect(answer === wanted, `answered ${answer} instead of ${wanted}`)
  }
}
