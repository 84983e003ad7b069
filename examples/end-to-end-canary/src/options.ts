import { parseArgs } from 'node:util'
import { BROKERS, type BrokerName } from './broker.js'
import { MUTATIONS } from './mutations.js'

/** What a play is made of. */
export interface PlayOptions {
  /** How many times as fast as a real cluster the controllers wait. */
  readonly speed: number
  /** A deliberate fault that the judgement has to find. */
  readonly mutation: string | undefined
  /** A Nacos server to use, `host:port`; `undefined` starts an in-memory one. */
  readonly nacos: string | undefined
  /** Use a file instead of Nacos. */
  readonly file: boolean
  /** Use a real API server of Kubernetes instead of Nacos. */
  readonly kubernetes: boolean
  /** Start services without Laneway in their code, by `--import @laneway/register`. */
  readonly register: boolean
  /** B calls C over gRPC. */
  readonly grpc: boolean
  /** Every request asks for its path, and it is compared with what the services say. */
  readonly trace?: boolean
  /** Port of the console, 0 finds a free one; `undefined`: no console. */
  readonly console?: number | undefined
  /** A sends orders to B, and B to C, through this broker. */
  readonly queue?: BrokerName | undefined
  /** Port of the entrance; 0 finds a free one. */
  readonly port: number
}

/** What the whole story is played with. */
export interface StoryOptions extends PlayOptions {
  /** Leave everything running after the story, with the URL to try. */
  readonly keep: boolean
  /** Requests per second of the constant load. */
  readonly rate: number
  /** The folder of manifests. */
  readonly manifests: string
}

export const HELP = `npm run demo -- [options]

Plays the release of two of three services on this machine, from the manifests in k8s/, under constant load: gray pods,
half of the users, promotion, a second release, rollback. Ends with a table; exit code 1 when a request failed or went to a
wrong lane.

  --manifests <dir>  play these manifests (default: k8s/laneway-gateway; k8s/mse-ingress and k8s/gateway-api are there)
  --speed <n>        how many times as fast as a real cluster the controllers wait, 1 = real (default 10)
  --keep             leave the services running at the end, with the URL to try; Ctrl-C ends them
  --port <n>         port of the entrance (default: a free one)
  --nacos <address>  let the services meet at this Nacos server (default: an in-memory one)
  --file             let them meet in a file instead
  --kubernetes       let them meet through a real Kubernetes API server (needs root, and Go the first time)
  --register         services without Laneway in their code, started with --import @laneway/register
  --grpc             B calls C over gRPC
  --trace            every seventh request asks for its path, which has to equal what the services saw
  --console          a page of services by lanes, traffic and releases, in which the story moves; prints its URL
  --console-port <n> its port (default: a free one)
  --queue <broker>   A sends orders to B, and B to C, through a real broker: amqp (RabbitMQ), bullmq (Redis), of
                     Debian, or kafka (Java and Maven)
  --rate <n>         requests per second (default 250, at least 200)
  --break=<fault>    build in a fault, to see it found (exit code 1): ${Object.keys(MUTATIONS).join(', ')}
  --help             this text

npm run demo -- <command>

Plays the same by hand, as kubectl and kubectl-kruise would do it on a cluster:

  apply [-f <file or folder>]   begin, or change what is played; takes --speed (default 1), --port, --nacos, --file,
                                --register, --grpc, --queue, --console
  set-image <service>=<tag>     change the image of a Deployment: a=2.0.1, or deployment/spring-cloud-a spring-cloud-a=<image>
  get <kind> [name] [-o yaml]   rollouts, deployments, pods, trafficroutings, httproutes, ingresses, ...
  wait <kind>[/<name>]          until Deployments are available, until Rollouts wait for somebody or are done
  approve <rollout>             approve the step that it waits at
  undo <rollout>                back to the version before
  curl [path] [-H 'Name: value'] [-n <times>]
  trace [path] [-H 'Name: value']  the way of a request, as laneway trace prints it
  config <content> [--lane gray]  publish the configuration in Nacos that A follows, for all or for a lane
  delete <kind>/<name>, delete -f <file or folder>
  down                          end everything
`

const PLAY = {
  port: { type: 'string', default: '0' },
  nacos: { type: 'string' },
  file: { type: 'boolean', default: false },
  register: { type: 'boolean', default: false },
  grpc: { type: 'boolean', default: false },
  console: { type: 'boolean', default: false },
  'console-port': { type: 'string' },
  queue: { type: 'string' },
  speed: { type: 'string' },
} as const

/** @throws Error for what there is not */
export function parseStoryOptions(argv: readonly string[], manifests: string): StoryOptions | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...PLAY,
      kubernetes: { type: 'boolean', default: false },
      manifests: { type: 'string', default: manifests },
      keep: { type: 'boolean', default: false },
      rate: { type: 'string', default: '250' },
      trace: { type: 'boolean', default: false },
      break: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return 'help'
  if (values.break !== undefined && !Object.hasOwn(MUTATIONS, values.break)) {
    throw new Error(`--break=${values.break}: the faults are ${Object.keys(MUTATIONS).join(', ')}`)
  }
  if (values.trace && values.queue !== undefined) throw new Error('--trace goes without --queue, where a path ends')
  if (values.register && values.break !== undefined)
    throw new Error('--break changes code that --register does not have')
  return {
    ...playOptions(values, 10),
    keep: values.keep,
    kubernetes: values.kubernetes,
    manifests: values.manifests,
    rate: integer('--rate', values.rate, 200, 2000),
    trace: values.trace,
    mutation: values.break,
  }
}

/** The options that `apply` takes when it begins a play, and what else it was given. */
export function parseApplyOptions(argv: readonly string[]): { play: PlayOptions; filename: string | undefined } {
  const { values } = parseArgs({
    args: [...argv],
    options: { ...PLAY, filename: { type: 'string', short: 'f' }, manifests: { type: 'string' } },
  })
  return { play: playOptions(values, 1), filename: values.filename ?? values.manifests }
}

interface PlayValues {
  readonly port: string
  readonly nacos?: string | undefined
  readonly file: boolean
  readonly register: boolean
  readonly grpc: boolean
  readonly console: boolean
  readonly 'console-port'?: string | undefined
  readonly queue?: string | undefined
  readonly speed?: string | undefined
}

function playOptions(values: PlayValues, usualSpeed: number): PlayOptions {
  const { port, nacos, file, register, grpc, queue, speed } = values
  if (queue !== undefined && (register || grpc)) throw new Error('--queue goes without --register and --grpc')
  return {
    speed: speed === undefined ? usualSpeed : integer('--speed', speed, 1, 100),
    port: integer('--port', port, 0, 65_535),
    nacos,
    file,
    register,
    grpc,
    console:
      values.console || values['console-port'] !== undefined
        ? integer('--console-port', values['console-port'] ?? '0', 0, 65_535)
        : undefined,
    queue: brokerName(queue),
    kubernetes: false,
    mutation: undefined,
  }
}

function brokerName(queue: string | undefined): BrokerName | undefined {
  if (queue === undefined || (BROKERS as readonly string[]).includes(queue)) return queue as BrokerName | undefined
  throw new Error(`--queue is ${BROKERS.join(', ')}, received "${queue}"`)
}

function integer(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= from && value <= to) return value
  throw new Error(`${name} is a whole number from ${from} to ${to}, received "${text}"`)
}
