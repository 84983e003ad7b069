import {
  type ConsoleOptions,
  type Decided,
  gateReader,
  kafkaReader,
  kruiseReader,
  processesReader,
  prometheusReader,
  rabbitmqReader,
  redisReader,
  sendTraced,
  startConsole,
} from '@laneway/console'
import { hasRegistry, openRegistries, readSettings, type SourceOptions } from '../registry/settings.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'
import { readChecked } from './check.js'

export interface ConsoleCommandOptions extends SourceOptions {
  readonly host: string
  readonly port: number
  readonly hostName: readonly string[]
  readonly prometheus?: string
  readonly processes?: boolean
  readonly lanesPort?: readonly number[]
  readonly lanesOf: readonly string[]
  readonly rollouts?: boolean
  readonly gateHops?: string
  readonly gateLane?: string
  readonly rabbitmq?: string
  readonly kafka?: string
  readonly redis?: string
  readonly rules?: string
  readonly entrance: readonly string[]
}

/** Serves the console until it is interrupted. */
export async function serveConsole(options: ConsoleCommandOptions, world: CommandWorld): Promise<number> {
  const config = readSettings(world, options)
  if (!hasRegistry(config)) {
    world.writeError(
      'no registry is configured: give --nacos host:8848, --kubernetes or --file endpoints.json, or set LANEWAY_NACOS\n',
    )
    return EXIT.usage
  }
  const { resolver, sources } = openRegistries(config, message => world.writeError(`${message}\n`))
  try {
    const running = await startConsole({
      sources,
      resolver,
      whenLaneMissing: config.whenLaneMissing as ConsoleOptions['whenLaneMissing'],
      host: options.host,
      port: options.port,
      hostNames: options.hostName,
      // From the environment, so that it stands in no list of processes.
      token: world.env['LANEWAY_CONSOLE_TOKEN'] || undefined,
      ...readersOf(options, world),
      trace: traceOf(options, world),
      decide: options.rules === undefined ? undefined : decideBy(options.rules, world.folder),
    })
    world.write(`the console is at ${running.url}\n`)
    await new Promise<void>(resolve => {
      if (world.signal.aborted) resolve()
      else world.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await running.close()
    return EXIT.ok
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'listen') throw error
    world.writeError(`cannot listen on ${options.host}:${options.port}: ${(error as Error).message}\n`)
    return EXIT.wrong
  } finally {
    await resolver?.close()
  }
}

function readersOf(
  options: ConsoleCommandOptions,
  { env, folder }: CommandWorld,
): Pick<ConsoleOptions, 'flows' | 'releases' | 'gate' | 'messages'> {
  const { prometheus, processes, lanesPort, lanesOf, rollouts, gateHops, gateLane, rabbitmq, kafka, redis, namespace } =
    options
  const token = env['LANEWAY_GATE_PROMETHEUS_TOKEN'] || undefined
  const asksInstances = processes === true || lanesPort !== undefined
  return {
    flows:
      prometheus !== undefined
        ? prometheusReader({ url: prometheus, token })
        : asksInstances || lanesOf.length > 0
          ? processesReader({
              urls: () => lanesOf,
              path: asksInstances ? '/lanes' : undefined,
              ports: lanesPort,
            })
          : undefined,
    releases: rollouts ? kruiseReader({ namespace }) : undefined,
    gate:
      gateHops === undefined
        ? undefined
        : gateReader({
            hops: gateHops,
            lane: gateLane ?? 'gray',
            prometheus: prometheus ?? '',
            prometheusToken: token,
          }),
    messages: [
      ...(rabbitmq === undefined ? [] : [rabbitmqReader({ url: rabbitmq })]),
      ...(kafka === undefined ? [] : [kafkaReader({ kafka, folder })]),
      ...(redis === undefined ? [] : [redisReader({ url: redis, folder })]),
    ],
  }
}

function traceOf({ entrance }: ConsoleCommandOptions, { env }: CommandWorld): ConsoleOptions['trace'] {
  if (entrance.length === 0) return undefined
  const token = env['LANEWAY_TRACE_TOKEN'] || undefined
  return { entrances: entrance, send: (url, lines) => sendTraced(url, lines, token) }
}

/** Reads the file for each question, so that the answer is that of the rules of now. */
function decideBy(file: string, folder: string): NonNullable<ConsoleOptions['decide']> {
  return {
    name: file,
    async request(request): Promise<Decided> {
      const { lane, by, rules, route } = (await readChecked(file, folder)).explain(request)
      const name = by === 'rule' ? rules?.decision?.rule : route
      return {
        lane,
        by: by === undefined ? '' : `${by} ${JSON.stringify(name ?? '')}`,
        lines: rules?.text.split('\n') ?? [],
      }
    },
  }
}
