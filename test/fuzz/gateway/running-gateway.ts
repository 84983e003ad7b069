import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What one look at the gateway shows. */
export interface Look {
  readonly inFlight: number
  readonly upgraded: number
  /** `undefined` where the system does not list them. */
  readonly descriptors: number | undefined
  readonly memory: number
}

/** A gateway process. */
export class RunningGateway {
  readonly http: number
  readonly https: number
  readonly h2c: number
  readonly #child: ChildProcess
  #stderr = ''
  #ended: string | undefined
  #closing = false

  private constructor(child: ChildProcess, ports: readonly number[]) {
    this.#child = child
    ;[this.http = 0, this.https = 0, this.h2c = 0] = ports
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-4000)
    })
    child.on('exit', (code, signal) => {
      if (!this.#closing) this.#ended = `the gateway ended with ${signal ?? code}`
    })
  }

  static async start(upstream: number): Promise<RunningGateway> {
    const program = fileURLToPath(new URL('./gateway-process.ts', import.meta.url))
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=@laneway/source', '--trace-uncaught', program, String(upstream)],
      { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: { ...process.env, NODE_OPTIONS: '' } },
    )
    let early = ''
    child.stderr?.on('data', chunk => {
      early += chunk
    })
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => Promise.reject(new Error(`the gateway does not start: ${early}`))),
    ])) as [{ ports: number[] }]
    return new RunningGateway(child, message.ports)
  }

  /** Why it is no longer there, with what it said; `undefined` while it is. */
  get ended(): string | undefined {
    return this.#ended === undefined ? undefined : `${this.#ended}\n${this.#stderr}`
  }

  async look(): Promise<Look> {
    if (this.#ended !== undefined) throw new Error(this.ended)
    const gone = new AbortController()
    const stop = () => gone.abort()
    this.#child.once('exit', stop)
    this.#child.send('look')
    const [{ metrics, memory }] = (await once(this.#child, 'message', { signal: gone.signal })
      .catch(() => {
        throw new Error(this.ended ?? 'the gateway has ended')
      })
      .finally(() => this.#child.off('exit', stop))) as [{ metrics: string; memory: number }]
    const number = (name: string) => Number(new RegExp(`^laneway_gateway_${name} (.*)$`, 'm').exec(metrics)?.[1])
    return {
      inFlight: number('in_flight_requests'),
      upgraded: number('upgraded_connections'),
      descriptors: this.#descriptors(),
      memory,
    }
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    this.#closing = true
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  #descriptors(): number | undefined {
    try {
      return readdirSync(`/proc/${this.#child.pid}/fd`).length
    } catch {
      return undefined
    }
  }
}
