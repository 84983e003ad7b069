import type { FlowReader, GateReading, MessageReader, RegisteredInstance, ReleaseReader } from '../readers/reader.js'
import type { Broker, Judged, Point, Releases, Traffic } from '../wire.js'
import type { Hub } from './hub.js'
import { createLayout } from './layout.js'

/** What is read again and again, while a page is open. */
export interface Polled {
  readonly flows?: FlowReader | undefined
  readonly releases?: ReleaseReader | undefined
  readonly gate?: (() => Promise<GateReading>) | undefined
  readonly messages?: readonly MessageReader[] | undefined
}

/** The pause between two readings; a reading that takes longer delays the next. */
const PAUSE_MS = 2000
/** Points of a plot: two minutes and more. */
const MAX_POINTS = 60

export const NO_TRAFFIC: Traffic = { from: '', flows: [], places: [], width: 0, height: 0 }

/**
 * Reads what does not push. Nobody is asked while no page is open.
 *
 * @returns ends it
 */
export function startPolls(polled: Polled, hub: Hub, instances: () => Iterable<RegisteredInstance>): () => void {
  const { flows, releases, gate, messages = [] } = polled
  const rounds: (() => Promise<void>)[] = []
  if (flows !== undefined) rounds.push(trafficRound(flows, hub, instances))
  if (releases !== undefined || gate !== undefined) rounds.push(releaseRound(releases, gate, hub))
  rounds.push(...messageRounds(messages, hub))
  let ended = false
  const timers = new Set<NodeJS.Timeout>()
  for (const round of rounds) {
    const again = async () => {
      if (hub.clients > 0) await round()
      if (ended) return
      const timer = setTimeout(
        () => {
          timers.delete(timer)
          void again()
        },
        hub.clients > 0 ? PAUSE_MS : PAUSE_MS / 8,
      )
      timer.unref()
      timers.add(timer)
    }
    void again()
  }
  return () => {
    ended = true
    for (const timer of timers) clearTimeout(timer)
  }
}

function trafficRound(reader: FlowReader, hub: Hub, instances: () => Iterable<RegisteredInstance>) {
  const layout = createLayout()
  let last: Traffic = { ...NO_TRAFFIC, from: reader.name }
  return async () => {
    try {
      const flows = await reader.read(instances)
      last = { from: reader.name, flows, ...(await layout(flows)) }
      hub.set('traffic', last)
    } catch (error) {
      hub.set('traffic', { ...last, error: (error as Error).message })
    }
  }
}

function releaseRound(reader: ReleaseReader | undefined, gate: Polled['gate'], hub: Hub) {
  const plots = new Map<string, Point[]>()
  let last: Releases = { from: reader?.name ?? '', rollouts: [], routings: [] }
  return async () => {
    const errors: string[] = []
    const tell = (error: unknown) => {
      errors.push((error as Error).message)
      return undefined
    }
    const [read, judged] = await Promise.all([reader?.read().catch(tell), gate?.().catch(tell)])
    last = { ...last, ...read, ...(judged && { gate: withPlots(judged, plots) }) }
    hub.set('releases', errors.length === 0 ? last : { ...last, error: errors.join('; ') })
  }
}

function withPlots(
  { lane, verdict, services }: GateReading,
  plots: Map<string, Point[]>,
): NonNullable<Releases['gate']> {
  const judged = services.map(({ numbers, ...service }): Judged => {
    const own = numbers.map(({ name, unit, lane: ofLane, base }) => {
      const key = `${service.service}\n${name}`
      const points = [...(plots.get(key) ?? []), { lane: finite(ofLane), base: finite(base) }].slice(-MAX_POINTS)
      plots.set(key, points)
      return { name, unit, points }
    })
    return { ...service, plots: own }
  })
  return { lane, verdict, services: judged }
}

const finite = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(4)) : null)

/** One for each broker, so that one that does not answer holds up no other. */
function messageRounds(readers: readonly MessageReader[], hub: Hub) {
  const brokers = readers.map(({ name }): Broker => ({ from: name, queues: [] }))
  return readers.map((reader, index) => async () => {
    const from = reader.name
    try {
      brokers[index] = { from, ...(await reader.read()) }
    } catch (error) {
      brokers[index] = { ...brokers[index]!, error: (error as Error).message }
    }
    hub.set('messages', brokers)
  })
}
