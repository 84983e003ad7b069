import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { BASE_TAG, isTag } from '@laneway/core'
import { type EndpointInput, tagsOfMetadata } from '@laneway/discovery'
import { RegistryView } from '@laneway/discovery/internal'
import { openRegistries, readSettings, type SourceOptions } from '../registry/settings.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'

/** Options of `laneway run`. */
export interface RunOptions extends Pick<SourceOptions, 'nacos' | 'namespace' | 'group'> {
  readonly lane?: string
  readonly service?: string
  readonly host?: string
  readonly port?: number
}

/** A program that is about to join a lane. Once the registry has it, this says so, and whether it answers there. */
export interface Joining {
  /** What its environment needs besides. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

const FIRST_ANSWER_MS = 5000
const PROBE_MS = 2000

/**
 * Checks that this machine can join a lane: a lane that is none, a service without a name and a registry that does not
 * answer are said before the program starts.
 *
 * @returns the exit code when it cannot
 */
export async function joinLane(options: RunOptions, world: CommandWorld): Promise<Joining | number> {
  const { lane = '', host } = options
  const refuse = (message: string, code: number = EXIT.usage) => {
    world.writeError(`laneway: ${message}\n`)
    return code
  }
  if (!isTag(lane) || lane === BASE_TAG) {
    return refuse(`--lane takes one tag, such as alice or pr-123, received ${JSON.stringify(lane)}`)
  }
  const env = environmentOf(options)
  const config = readSettings({ ...world, env: { ...world.env, ...env } })
  const { service } = config
  if (service === undefined) {
    return refuse('which service does this program stand in for? Say --service orders, or set LANEWAY_SERVICE')
  }
  if (config.nacos.length === 0) {
    return refuse(
      'no registry to join: give --nacos host:8848, or set LANEWAY_NACOS. In Kubernetes only pods are endpoints of a ' +
        'service, so a program outside of the cluster joins through Nacos',
    )
  }
  const { resolver, sources } = openRegistries({ ...config, kubernetes: false }, () => {})
  let changed = () => {}
  const view = new RegistryView(sources, () => changed())
  const close = async () => {
    view.close()
    await resolver?.close()
  }
  for (const source of sources) view.follow(service, source)
  await view.settled(FIRST_ANSWER_MS, world.signal)
  const seen = () => [...view.services.values()].flatMap(({ endpoints }) => endpoints ?? [])
  if (view.unanswered.length > 0) {
    const { where, error } = { where: config.nacos.join(', '), error: view.lost[0]?.error ?? view.unanswered[0]?.error }
    await close()
    return refuse(
      `Nacos ${where} does not answer: ${error?.message ?? `nothing within ${FIRST_ANSWER_MS} ms`}. This machine needs ` +
        'TCP to its port and to the one 1000 above',
      EXIT.unreachable,
    )
  }
  if (!seen().some(endpoint => tagsOf(endpoint).length === 0)) {
    world.writeError(
      `laneway: nobody else serves ${service} as base: is that its name? laneway lanes shows the services of the registry\n`,
    )
  }
  const addresses = new Set(host === undefined ? ownAddresses() : [host])
  const own = () => seen().filter(endpoint => tagsOf(endpoint).includes(lane) && addresses.has(endpoint.host))
  // What an earlier run has left there, until the registry drops it.
  let earlier = own().map(({ port }) => port)
  changed = () => {
    const now = own()
    const joined = now.find(({ port }) => !earlier.includes(port))
    earlier = now.map(({ port }) => port)
    if (joined !== undefined) void report(joined, service, lane, world)
  }
  return { env, close }
}

function environmentOf({ lane, service, host, port, nacos, namespace, group }: RunOptions): Record<string, string> {
  const all = {
    LANEWAY_TAG: lane,
    LANEWAY_SERVICE: service,
    LANEWAY_IP: host,
    LANEWAY_PORT: port?.toString(),
    LANEWAY_NACOS: nacos,
    LANEWAY_NACOS_NAMESPACE: namespace,
    LANEWAY_NACOS_GROUP: group,
  }
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** Says what has been registered, and looks whether the program answers there. */
async function report(
  { host, port }: EndpointInput,
  service: string,
  lane: string,
  world: CommandWorld,
): Promise<void> {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const problem = await probe(host, port)
  if (problem !== undefined) {
    world.writeError(
      `laneway: ${service} is registered at ${where} in lane ${lane}, but nothing answers there (${problem}): let the ` +
        'program listen on 0.0.0.0, or say the right address with --host\n',
    )
    return
  }
  world.writeError(
    `laneway: ${service} at ${where} is in lane ${lane}: requests with x-mse-tag: ${lane} come here, if the callers can ` +
      `connect to ${where}\n`,
  )
  if (!/^(127\.|::1$)/.test(host)) return
  world.writeError(`laneway: ${host} is this machine's own address: no other one reaches it; --host names another\n`)
}

/** @returns what is wrong */
function probe(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout: PROBE_MS })
    const end = (problem?: string) => {
      socket.destroy()
      resolve(problem)
    }
    socket.once('connect', () => end())
    socket.once('timeout', () => end('no answer'))
    socket.once('error', error => end((error as NodeJS.ErrnoException).code))
  })
}

function tagsOf({ tags, metadata }: EndpointInput): readonly string[] {
  return tags ?? tagsOfMetadata(metadata ?? {})
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(all => (all ?? []).map(({ address }) => address))
}
