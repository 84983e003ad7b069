import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** One service process. */
export interface Instance {
  readonly service: string
  readonly tag: string
  readonly port: number
  readonly child: ChildProcess
}

const START_LIMIT_MS = 60_000
const NEXT: Readonly<Record<string, string>> = { entry: 'a', a: 'b', b: 'c', c: '' }

/** The processes; remembers the lane of each port, also of those that are gone: that is what answers are judged by. */
export class Fleet {
  readonly instances = new Set<Instance>()
  readonly tagOf = new Map<number, string>()
  readonly #nacos: string
  readonly #prefix: string
  readonly #grpc: boolean

  /** @param grpc - b calls c over gRPC */
  constructor(nacos: string, prefix: string, grpc: boolean) {
    this.#nacos = nacos
    this.#prefix = prefix
    this.#grpc = grpc
  }

  /** A busy machine is a reason for a second attempt, not for a third. */
  start(service: string, tag: string): Promise<Instance> {
    return this.#start(service, tag).catch(() => this.#start(service, tag))
  }

  async #start(service: string, tag: string): Promise<Instance> {
    const program = fileURLToPath(new URL('./service.mjs', import.meta.url))
    const child = spawn(process.execPath, [program], {
      env: {
        ...process.env,
        NAME: service,
        NEXT: NEXT[service],
        NACOS: this.#nacos,
        PREFIX: this.#prefix,
        LANEWAY_TAG: tag,
        GRPC: this.#grpc ? '1' : '',
      },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let errors = ''
    child.stderr?.on('data', chunk => {
      errors = (errors + chunk).slice(-2000)
    })
    const port = await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL')
        reject(new Error(`${service} does not serve\n${errors}`))
      }, START_LIMIT_MS)
      child.once('message', (message: { port: number }) => {
        clearTimeout(timer)
        resolve(message.port)
      })
      child.once('exit', code => reject(new Error(`${service} ended with ${code}\n${errors}`)))
    })
    const instance = { service, tag, port, child }
    this.instances.add(instance)
    this.tagOf.set(port, tag)
    child.once('exit', () => this.instances.delete(instance))
    return instance
  }

  /** A process of a service that is not taken yet, which it then is; of another in its group there is always one. */
  victim(taken: Set<string>, tag?: string): Instance {
    const list = [...this.instances].filter(
      one => one.service !== 'entry' && !taken.has(one.service) && (tag === undefined || one.tag === tag),
    )
    const one = list[Math.floor(Math.random() * list.length)]!
    taken.add(one.service)
    return one
  }

  async end(instance: Instance, signal: NodeJS.Signals): Promise<void> {
    const ended = new Promise(resolve => instance.child.once('exit', resolve))
    instance.child.kill(signal)
    await ended
  }

  async close(): Promise<void> {
    await Promise.all([...this.instances].map(one => this.end(one, 'SIGKILL')))
  }
}
