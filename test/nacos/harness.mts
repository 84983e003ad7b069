import { randomBytes } from 'node:crypto'
import { createNacosClient, type NacosClient, type NacosClientOptions, type ServiceInfo } from '@laneway/nacos'

/** A server under test. */
export interface TestServer {
  readonly kind: string
  readonly version: string
  readonly http: string
  readonly grpc: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly tls?: { ca: string; clientCert: string; clientKey: string }
  stop(): Promise<void>
}

export interface Case {
  readonly name: string
  readonly run: (context: Context) => Promise<void>
  /** Waits most of its time: runs beside the others. */
  readonly slow?: true
}

/** Thrown by a case that does not apply to a server; counted as skipped, with its reason. */
export class Skip extends Error {}

/** What a case gets; whatever it makes ends with it. */
export class Context {
  readonly server: TestServer
  readonly figures: Record<string, string>
  readonly #ends: (() => unknown)[] = []

  constructor(server: TestServer, figures: Record<string, string>) {
    this.server = server
    this.figures = figures
  }

  client(options: Partial<NacosClientOptions> = {}): NacosClient {
    const { username, password } = this.server
    const made = createNacosClient({
      servers: this.server.http,
      warn: () => {},
      ...(username !== undefined && password !== undefined && { username, password }),
      ...options,
    })
    this.end(() => made.close())
    return made
  }

  end(fn: () => unknown): void {
    this.#ends.push(fn)
  }

  async finish(): Promise<void> {
    for (const end of this.#ends.reverse()) await end()
  }

  skip(why: string): never {
    throw new Skip(why)
  }
}

/** A name that no other run has used. */
export function unique(prefix: string): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`
}

/** r-nacos never takes other metadata for an ip and port, so each test has its own. */
let lastPort = 20_000 + (process.pid % 20_000)
export function freshPort(): number {
  return ++lastPort
}

export async function until<T>(
  what: string,
  test: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 10_000,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const found = await test()
    if (found) return found
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 3))
  }
}

/** Follows a service. */
export function watch(
  client: NacosClient,
  service: string,
): { infos: ServiceInfo[]; ports(): number[]; lost: string[]; stop(): void } {
  const infos: ServiceInfo[] = []
  const lost: string[] = []
  const stop = client.naming.subscribe(
    { service },
    { info: info => void infos.push(info), lost: error => void lost.push(error.message) },
  )
  return {
    infos,
    lost,
    stop,
    ports: () => (infos.at(-1)?.instances ?? []).map(({ port }) => port).sort((a, b) => a - b),
  }
}

export function summary(samples: readonly number[]): string {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!.toFixed(1)
  return `median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (${sorted.length})`
}
