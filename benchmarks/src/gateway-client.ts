import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { processorTimeOf } from './sidecar/processor-time.js'
import { type ProxyName, type Route, type RunningProxy, startProxy } from './sidecar/proxy.js'

const CONNECTIONS = 8

/** What one side of a gateway case has used: processor time in microseconds, and lines of its access log. */
export interface Usage {
  readonly cpu: number
  readonly lines: number
}

/** One side of a gateway case and the connections to it. */
export abstract class MeasuredProcess {
  readonly port: number
  #sockets: Socket[] = []

  protected constructor(port: number) {
    this.port = port
  }

  abstract usage(): Promise<Usage>

  async connect(): Promise<this> {
    this.#sockets = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const socket = connect(this.port, '127.0.0.1')
        socket.setNoDelay(true)
        await once(socket, 'connect')
        return socket
      }),
    )
    return this
  }

  /** One call. @returns the body of the answer */
  get(request: Buffer): Promise<Buffer> {
    return exchange(this.#sockets[0]!, request)
  }

  /** Processor time of the process for one request of a block, in microseconds. */
  async block(requests: number, request: Buffer): Promise<number> {
    const before = await this.usage()
    let left = requests
    await Promise.all(
      this.#sockets.map(async socket => {
        while (left-- > 0) await exchange(socket, request)
      }),
    )
    return ((await this.usage()).cpu - before.cpu) / requests
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** A proxy that is no Node program. */
export class ProxyProcess extends MeasuredProcess {
  readonly #proxy: RunningProxy

  private constructor(proxy: RunningProxy) {
    super(proxy.port)
    this.#proxy = proxy
  }

  static async start(program: ProxyName, route: Route): Promise<ProxyProcess> {
    return new ProxyProcess(await startProxy(program, route))
  }

  async usage(): Promise<Usage> {
    const cpu = this.#proxy.pids.reduce((sum, pid) => sum + processorTimeOf(pid), 0)
    return { cpu, lines: this.#proxy.lines() }
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#proxy.close()
  }
}

/** A process of the gateway cases, or of others that answer the same messages. */
export class GatewayProcess extends MeasuredProcess {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    super(port)
    this.#child = child
  }

  static start(...args: string[]): Promise<GatewayProcess> {
    return GatewayProcess.startService('gateway-service.js', ...args)
  }

  /** @param script - file name beside this one */
  static async startService(script: string, ...args: string[]): Promise<GatewayProcess> {
    const file = fileURLToPath(new URL(script, import.meta.url))
    const child = fork(file, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new GatewayProcess(child, port)
  }

  async usage(): Promise<Usage> {
    this.#child.send('usage')
    const [usage] = (await once(this.#child, 'message')) as [Usage]
    return usage
  }

  override async close(): Promise<void> {
    await super.close()
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** One request on a connection that has no other under way. The answer has a length. */
function exchange(socket: Socket, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let received = 0
    let wanted = Number.POSITIVE_INFINITY
    let body = 0
    const end = (error?: Error): void => {
      socket.off('data', read)
      socket.off('error', end)
      socket.off('close', closed)
      if (error === undefined) resolve(Buffer.concat(chunks).subarray(body))
      else reject(error)
    }
    const closed = (): void => end(new Error('the connection was closed'))
    const read = (chunk: Buffer): void => {
      chunks.push(chunk)
      received += chunk.length
      if (body === 0) {
        const whole = chunks.length === 1 ? chunk : Buffer.concat(chunks)
        const at = whole.indexOf(HEAD_END)
        if (at === -1) return
        const head = whole.toString('latin1', 0, at)
        const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
        if (!head.startsWith('HTTP/1.1 200') || length === undefined) {
          end(new Error(`answered ${head}`))
          return
        }
        body = at + 4
        wanted = body + Number(length)
      }
      if (received >= wanted) end()
    }
    socket.on('data', read)
    socket.on('error', end)
    socket.on('close', closed)
    socket.write(request)
  })
}
