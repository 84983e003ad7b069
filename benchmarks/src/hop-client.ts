import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exchange } from './exchange.js'

const CONNECTIONS = 4
const SERVICE = fileURLToPath(new URL('hop-service.js', import.meta.url))

/** How a chain is built. */
export interface ChainKind {
  readonly framework: 'express' | 'fastify'
  /** Laneway, the least that keeps a lane, or no lanes. */
  readonly lane: 'lane' | 'hand' | 'plain'
  readonly telemetry: boolean
}

/** Which program runs the chain, and how. */
export interface ChainProcess {
  /** The folder of the compiled benchmarks, and where the process runs. @default this one, and where this process runs */
  readonly folder?: string
  readonly execArgv?: readonly string[]
}

/** A running chain of services, and the client that calls it from this process. */
export class Chain {
  readonly #child: ChildProcess
  readonly #sockets: Socket[]
  readonly #tag: string | undefined

  private constructor(child: ChildProcess, sockets: Socket[], tag: string | undefined) {
    this.#child = child
    this.#sockets = sockets
    this.#tag = tag
  }

  static async start(
    { framework, lane, telemetry }: ChainKind,
    tag: string | undefined,
    { folder, execArgv = [] }: ChainProcess = {},
  ): Promise<Chain> {
    const args = [framework, lane, telemetry ? 'otel' : 'none']
    const child = fork(folder === undefined ? SERVICE : join(folder, 'hop-service.js'), args, {
      ...(folder !== undefined && { cwd: folder }),
      execArgv: ['--expose-gc', ...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    const sockets = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const socket = connect(port, '127.0.0.1')
        socket.setNoDelay(true)
        await once(socket, 'connect')
        return socket
      }),
    )
    return new Chain(child, sockets, tag)
  }

  /** One call. @returns the body of the answer */
  get(tag = this.#tag): Promise<string> {
    return exchange(this.#sockets[0]!, headOf(tag))
  }

  /** Processor time of the chain for one request of a block, in microseconds. */
  async block(requests: number, tag = this.#tag): Promise<number> {
    const head = headOf(tag)
    const before = await this.#cpu()
    let left = requests
    await Promise.all(
      this.#sockets.map(async socket => {
        while (left-- > 0) await exchange(socket, head)
      }),
    )
    return ((await this.#cpu()) - before) / requests
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }

  async #cpu(): Promise<number> {
    this.#child.send('cpu')
    const [{ cpu }] = (await once(this.#child, 'message')) as [{ cpu: number }]
    return cpu
  }
}

function headOf(tag: string | undefined): string {
  const header = tag === undefined ? '' : `x-mse-tag: ${tag}\r\n`
  return `GET / HTTP/1.1\r\nhost: sc-a\r\naccept: application/json\r\n${header}\r\n`
}
