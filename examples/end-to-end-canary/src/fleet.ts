import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Registry } from './registry.js'
import { TRACE_ENVIRONMENT } from './traced.js'

/** One running process of a service. */
export interface Instance {
  readonly service: string
  readonly tag: string
  readonly version: string
  readonly address: string
  readonly child: ChildProcess
  /** When callers may know it, in ms since the epoch; `Infinity` before. */
  upAt: number
  /** When it began to leave; `Infinity` while it stays. */
  leftAt: number
}

/** The processes of the story: starts them, has them registered, lets them leave as a deployment would. */
export class Fleet {
  readonly instances: Instance[] = []
  readonly #folder: string
  readonly #registry: Registry
  readonly #register: boolean
  readonly #rules: string
  readonly #grpc: boolean
  readonly #lanes: boolean
  readonly #lanesUrls = new Map<ChildProcess, string>()
  readonly #children = new Set<ChildProcess>()
  #ending = false

  /**
   * @param register - Laneway comes from a flag and the environment, not from the code in the folder
   * @param rules - the file with the entrance's rules
   * @param grpc - B calls C over gRPC
   * @param lanes - each process says where its calls went, for the console
   */
  constructor(folder: string, registry: Registry, register: boolean, rules: string, grpc: boolean, lanes = false) {
    this.#folder = folder
    this.#registry = registry
    this.#register = register
    this.#rules = rules
    this.#grpc = grpc
    this.#lanes = lanes
  }

  /** Where the running processes say it. */
  get lanesUrls(): readonly string[] {
    return [...this.#lanesUrls.values()]
  }

  /** Whether everything is being ended. */
  get ending(): boolean {
    return this.#ending
  }

  /** Starts a service and registers it once it listens. @param environment - of its pod */
  async start(
    service: string,
    version: string,
    tag = '',
    port = 0,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Instance> {
    const own = { LANEWAY_TAG: tag, VERSION: version, PORT: String(port) }
    const { child, address } = await this.#spawn(service, { ...environment, ...own })
    const instance: Instance = { service, tag, version, address, child, upAt: Infinity, leftAt: Infinity }
    this.instances.push(instance)
    if (!ENTRANCES.has(service)) await this.#registry.add?.(instance)
    instance.upAt = Date.now()
    return instance
  }

  /** Ends an instance as a deployment does; it deregisters itself, unless the registry is a list that others keep. */
  async leave(instance: Instance): Promise<void> {
    instance.leftAt = Date.now()
    if (this.#registry.remove !== undefined) {
      await this.#registry.remove(instance)
      await new Promise(resolve => setTimeout(resolve, NOTICE_MS))
    }
    await this.#end(instance.child)
  }

  /** Starts a helper process of the driver, ended with the rest. */
  adopt(child: ChildProcess): ChildProcess {
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Ends everything at once: nobody is left who could call. */
  async close(): Promise<void> {
    this.#ending = true
    await Promise.all([...this.#children].map(child => this.#end(child, 'SIGKILL')))
  }

  async #spawn(service: string, env: Record<string, string>): Promise<{ child: ChildProcess; address: string }> {
    // First, so that the port of the console is not taken for that of the service.
    const flags = this.#lanes ? ['--import', LANES_PRELOAD] : []
    if (this.#register) flags.push('--import', '@laneway/register')
    const lanes = this.#register
      ? this.#registerEnvironment(service)
      : { ...this.#registry.environment(), RULES_FILE: this.#rules, OTEL_SERVICE_NAME: nameOf(service) }
    const file = this.#grpc && service === 'c' ? 'c-grpc' : service
    const child = spawn(process.execPath, [...flags, join(this.#folder, `${file}.js`)], {
      env: {
        ...process.env,
        SHOW_LANES: '1',
        ...TRACE_ENVIRONMENT,
        LANES_NAME: nameOf(service),
        ...lanes,
        ...(this.#grpc && { C_BY: 'grpc' }),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.adopt(child)
    let errors = ''
    child.stderr?.on('data', chunk => (errors = (errors + chunk).slice(-4000)))
    const port = await new Promise<string>((resolve, reject) => {
      const late = () => reject(new Error(`${service} does not serve after ${START_LIMIT_MS / 1000} s\n${errors}`))
      const timer = setTimeout(late, START_LIMIT_MS)
      timer.unref()
      let output = ''
      child.stdout?.on('data', chunk => {
        output += chunk
        const lanesUrl = /lanes on ([^;\s]+);/.exec(output)?.[1]
        if (lanesUrl !== undefined) this.#lanesUrls.set(child, lanesUrl)
        const found = /serving on (\d+)/.exec(output)
        if (found?.[1] !== undefined) resolve(found[1])
      })
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`${service} ended with ${code} before it served\n${errors}`)))
    })
    child.once('exit', (code, signal) => {
      this.#lanesUrls.delete(child)
      if (!this.#ending && code !== 0 && signal !== 'SIGTERM')
        console.error(`${service} ended with ${code ?? signal}\n${errors}`)
    })
    return { child, address: `${this.#registry.host ?? '127.0.0.1'}:${port}` }
  }

  #registerEnvironment(service: string): Record<string, string> {
    const { NACOS, ENDPOINTS_FILE } = this.#registry.environment()
    const entrance = ENTRANCES.has(service)
    return {
      ...(NACOS === undefined ? { LANEWAY_ENDPOINTS_FILE: ENDPOINTS_FILE ?? '' } : { LANEWAY_NACOS: NACOS }),
      ...(entrance ? { LANEWAY_TRUST: 'edge', LANEWAY_RULES: this.#rules } : { LANEWAY_SERVICE: nameOf(service) }),
      LANEWAY_SERVICES: 'sc-A,sc-B,sc-C',
      LANEWAY_SHUTDOWN_MS: '1500',
    }
  }

  async #end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
    child.kill(signal)
    const impatient = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(impatient)
  }
}

/** How a process names itself in paths, and as the console knows it. */
function nameOf(service: string): string {
  return ENTRANCES.has(service) ? 'gateway' : `sc-${service.toUpperCase()}`
}

const LANES_PRELOAD = new URL('console/lanes-preload.mjs', import.meta.url).href
const ENTRANCES = new Set(['entry', 'gateway'])
/** A process starts and registers in about a second; a busy machine gets its time. */
const START_LIMIT_MS = 90_000
/** Between the change of a list and SIGTERM: the time callers need to notice, with much to spare. */
const NOTICE_MS = 1000
/** As `terminationGracePeriodSeconds` in the manifests. */
const GRACE_MS = 45_000
