import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exchange } from '../exchange.js'
import { processorTimeOf } from './processor-time.js'
import { type ProxyName, type RunningProxy, startProxy } from './proxy.js'
import type { ServiceSettings, Way } from './service.js'

const SERVICE = fileURLToPath(new URL('service.js', import.meta.url))
const SOCKETS = 64

/** How the chain client -> front -> back keeps the lane. */
export interface ChainKind {
  readonly framework: 'express' | 'fastify'
  readonly way: Way
  /** The proxy that chooses the instance of `back`, and whether others stand before both services, too. */
  readonly proxy?: { readonly program: ProxyName; readonly ingress?: true }
}

/** Which requests carry the tag. */
export type Traffic = 'untagged' | 'tagged' | 'half'

/** A running chain, each service in a process of its own, and its client in this one. */
export class SidecarChain {
  readonly #children: ChildProcess[] = []
  readonly #proxies: RunningProxy[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'laneway-sidecar-bench-'))
  #sockets: Socket[] = []
  #turn = 0

  static async start(kind: ChainKind): Promise<SidecarChain> {
    const chain = new SidecarChain()
    try {
      await chain.#start(kind)
      return chain
    } catch (error) {
      await chain.close()
      throw error
    }
  }

  async #start({ framework, way, proxy }: ChainKind): Promise<void> {
    const back = (name: string) => this.#service({ role: 'back', framework: 'fastify', way, name })
    let [base, gray] = await Promise.all([back('base'), back('gray')])
    if (proxy?.ingress) {
      const before = await Promise.all([base, gray].map(port => this.#proxy(proxy.program, { base: port })))
      ;[base, gray] = before as [number, number]
    }
    if (proxy !== undefined) base = gray = await this.#proxy(proxy.program, { base, gray })
    let front = await this.#service({ role: 'front', framework, way, base, gray })
    if (proxy?.ingress) front = await this.#proxy(proxy.program, { base: front })
    this.#sockets = await Promise.all(
      Array.from({ length: SOCKETS }, async () => {
        const socket = connect(front, '127.0.0.1')
        socket.setNoDelay(true)
        await once(socket, 'connect')
        return socket
      }),
    )
  }

  /** One call. @returns the body of the answer */
  get(tag: string | undefined): Promise<string> {
    return exchange(this.#sockets[0]!, headOf(tag))
  }

  /** Closed loop. @returns processor time of all processes of the chain for a request, in microseconds */
  async block(requests: number, inFlight: number, traffic: Traffic): Promise<number> {
    const before = this.#processorTime()
    let left = requests
    await Promise.all(
      this.#sockets.slice(0, inFlight).map(async socket => {
        while (left-- > 0) await exchange(socket, this.#head(traffic))
      }),
    )
    return (this.#processorTime() - before) / requests
  }

  /**
   * Open loop: sends in a steady rhythm, whatever comes back. A request that finds no free connection waits, and its time
   * counts from when it was due.
   *
   * @returns latencies in milliseconds
   */
  async load(perSecond: number, seconds: number, traffic: Traffic): Promise<number[]> {
    const total = Math.round(perSecond * seconds)
    const latencies: number[] = []
    const free = [...this.#sockets]
    const waiting: number[] = []
    const start = performance.now()
    let sent = 0
    const send = async (due: number, socket: Socket): Promise<void> => {
      await exchange(socket, this.#head(traffic))
      latencies.push(performance.now() - due)
      const next = waiting.shift()
      if (next === undefined) free.push(socket)
      else await send(next, socket)
    }
    const all: Promise<void>[] = []
    while (sent < total) {
      const due = start + (sent * 1000) / perSecond
      if (due > performance.now()) {
        await new Promise(resolve => setTimeout(resolve, 1))
        continue
      }
      sent++
      const socket = free.pop()
      if (socket === undefined) waiting.push(due)
      else all.push(send(due, socket))
    }
    await Promise.all(all)
    return latencies
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    // First the proxies: they would complain about servers that are gone.
    await Promise.all(this.#proxies.map(proxy => proxy.close()))
    for (const child of this.#children) {
      if (child.exitCode !== null) continue
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #head(traffic: Traffic): string {
    return headOf(traffic === 'tagged' || (traffic === 'half' && this.#turn++ % 2 === 0) ? 'gray' : undefined)
  }

  #processorTime(): number {
    const pids = [...this.#children.map(({ pid }) => pid!), ...this.#proxies.flatMap(({ pids }) => pids)]
    return pids.reduce((sum, pid) => sum + processorTimeOf(pid), 0)
  }

  async #service(settings: ServiceSettings): Promise<number> {
    const { execArgv = [], env = {} } = this.#preload(settings)
    const child = fork(SERVICE, [JSON.stringify(settings)], {
      execArgv,
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#children.push(child)
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return port
  }

  #preload({ way, role, base, gray }: ServiceSettings): { execArgv?: string[]; env?: Record<string, string> } {
    if (way === 'telemetry') {
      const names = [
        'OTEL_TRACES_EXPORTER',
        'OTEL_METRICS_EXPORTER',
        'OTEL_LOGS_EXPORTER',
        'OTEL_NODE_RESOURCE_DETECTORS',
      ]
      return {
        execArgv: ['--require', '@opentelemetry/auto-instrumentations-node/register'],
        env: Object.fromEntries(names.map(name => [name, 'none'])),
      }
    }
    if (way !== 'register') return {}
    const execArgv = ['--import', '@laneway/register']
    if (role === 'back') return { execArgv }
    const file = join(this.#folder, 'endpoints.json')
    const instances = [
      { host: '127.0.0.1', port: base },
      { host: '127.0.0.1', port: gray, tags: ['gray'] },
    ]
    writeFileSync(file, JSON.stringify({ services: { 'sc-b': instances } }))
    return { execArgv, env: { LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICES: 'sc-b' } }
  }

  async #proxy(program: ProxyName, route: { base: number; gray?: number }): Promise<number> {
    const proxy = await startProxy(program, route)
    this.#proxies.push(proxy)
    return proxy.port
  }
}

/** The path names the instance for ways that keep no lane, so that all chains use the same instances. */
function headOf(tag: string | undefined): string {
  const header = tag === undefined ? '' : `x-mse-tag: ${tag}\r\n`
  return `GET /${tag ?? ''} HTTP/1.1\r\nhost: sc-a\r\naccept: application/json\r\n${header}\r\n`
}
