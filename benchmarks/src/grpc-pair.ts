import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from './case.js'

const SIDE = fileURLToPath(new URL('grpc-side.js', import.meta.url))

/** How both sides of a call are built. */
export interface GrpcKind {
  readonly client: 'plain' | 'lane'
  readonly server: 'plain' | 'hook' | 'interceptor'
}

type Side = 'client' | 'server'

async function ask(child: ChildProcess, message: object | string): Promise<{ cpu: number; answer?: string }> {
  child.send(message)
  const [answer] = (await once(child, 'message')) as [{ cpu: number }]
  return answer
}

async function start(args: readonly string[]): Promise<[ChildProcess, { ports: number[] }]> {
  const child = fork(SIDE, [...args], { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [message] = (await once(child, 'message')) as [{ ports: number[] }]
  return [child, message]
}

/** A client and a server of gRPC, in two processes. */
export class GrpcPair {
  readonly #client: ChildProcess
  readonly #server: ChildProcess
  readonly #tag: string
  readonly #measured: Side

  private constructor(client: ChildProcess, server: ChildProcess, tag: string, measured: Side) {
    this.#client = client
    this.#server = server
    this.#tag = tag
    this.#measured = measured
  }

  static async start(kind: GrpcKind, tag: string, measured: Side): Promise<GrpcPair> {
    const [server, { ports }] = await start(['server', kind.server])
    const [client] = await start(['client', kind.client, String(ports[0]), String(ports[1]), tag])
    return new GrpcPair(client, server, tag, measured)
  }

  /** Lets both sides compile and collect what a long life would have. */
  async warm(calls: number): Promise<void> {
    await ask(this.#client, { calls, old: true })
    await ask(this.#server, 'old')
    await ask(this.#client, { calls: calls >> 1 })
  }

  /** Processor time of the measured side for one call of a block, in microseconds. */
  async block(calls: number): Promise<number> {
    const before = this.#measured === 'server' ? await ask(this.#server, 'cpu') : { cpu: 0 }
    const used = await ask(this.#client, { calls })
    const wanted = this.#tag === '' ? 'base ' : `gray ${this.#tag}`
    expect(used.answer === wanted, `answered ${used.answer} instead of ${wanted}`)
    if (this.#measured === 'client') return used.cpu / calls
    return ((await ask(this.#server, 'cpu')).cpu - before.cpu) / calls
  }

  async close(): Promise<void> {
    for (const child of [this.#client, this.#server]) {
      const gone = once(child, 'exit')
      child.disconnect()
      await gone
    }
  }
}
