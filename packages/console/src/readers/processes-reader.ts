import { type OptionTable, optional, readOptions, text, unchecked, whole } from '@laneway/core/internal'
import { formatAddress } from '@laneway/discovery/internal'
import type { LanesDocument } from '../lanes.js'
import type { Flow } from '../wire.js'
import type { FlowReader, RegisteredInstance } from './reader.js'

/** Options of {@link processesReader}. */
export interface ProcessesReaderOptions {
  /** URLs of `lanesHandler`s, asked each time. @default none */
  urls?: (() => readonly string[]) | undefined
  /** Ask each registered instance under this path, e.g. `/lanes`. @default undefined: registered instances are not asked */
  path?: string | undefined
  /**
   * Ask the hosts of registered instances on these ports, those of `LANEWAY_LANES`.
   * @default undefined: each instance on its own port
   */
  ports?: readonly number[] | undefined
  /** Most processes asked in a round. @default 200, so that a round ends within seconds */
  maxProcesses?: number
}

const OPTIONS = {
  urls: unchecked<ProcessesReaderOptions['urls']>(),
  path: text(undefined),
  ports: optional((value, place) => {
    const isPort = (one: unknown) => Number.isInteger(one) && Number(one) >= 1 && Number(one) <= 65_535
    if (Array.isArray(value) && value.length > 0 && value.every(isPort)) return value as readonly number[]
    throw place.unexpected('a list of ports', value)
  }),
  maxProcesses: whole(200, 1, 10_000),
} satisfies OptionTable<ProcessesReaderOptions>

const TIMEOUT_MS = 2000
const AT_ONCE = 20
const MAX_BYTES = 2 * 1024 * 1024

interface Seen {
  readonly at: number
  readonly document: LanesDocument
}

/**
 * Reads the calls between services from the `lanesHandler` of each process.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function processesReader(options: ProcessesReaderOptions): FlowReader {
  const { urls, path, ports, maxProcesses } = readOptions('processesReader', options, OPTIONS)
  let before = new Map<string, Seen>()

  return {
    name: 'running processes',
    async read(instances) {
      const registered = path === undefined ? [] : urlsOf(instances(), path, ports)
      const targets = [...new Set([...(urls?.() ?? []), ...registered])].slice(0, maxProcesses)
      const now = new Map<string, Seen>()
      const flows = new Map<string, { -readonly [K in keyof Flow]: Flow[K] }>()
      const queue = [...targets]
      const work = async () => {
        for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
          const document = await ask(url).catch(() => undefined)
          if (document === undefined) continue
          const seen = { at: Date.now(), document }
          now.set(url, seen)
          addGrowth(flows, before.get(url), seen)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      if (targets.length > 0 && now.size === 0) throw new Error(`none of ${targets.length} processes answers`)
      before = now
      return [...flows.values()]
    },
  }
}

function* urlsOf(
  instances: Iterable<RegisteredInstance>,
  path: string,
  ports: readonly number[] | undefined,
): Iterable<string> {
  for (const { host, port } of instances) {
    for (const one of ports ?? [port]) {
      const url = `http://${formatAddress(host, one)}${path}`
      // Whatever a registry calls a host must not become another part of the URL.
      if (
        URL.canParse(url) &&
        new URL(url).pathname === path.split('?')[0] &&
        new URL(url).port === String(one === 80 ? '' : one)
      )
        yield url
    }
  }
}

async function ask(url: string): Promise<LanesDocument | undefined> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  const length = Number(response.headers.get('content-length') ?? 0)
  if (!response.ok || !(length <= MAX_BYTES)) {
    await response.body?.cancel()
    return undefined
  }
  return readDocument(JSON.parse(await response.text()))
}

/** Only what has the expected form: any process may answer there. */
function readDocument(value: unknown): LanesDocument | undefined {
  const { version, service, startedAt, decisions } = Object(value) as Partial<LanesDocument>
  if (version !== 1 || typeof service !== 'string' || typeof startedAt !== 'number' || !Array.isArray(decisions)) {
    return undefined
  }
  const good = decisions.filter(
    one =>
      typeof one?.count === 'number' &&
      [one.service, one.lane, one.served, one.outcome].every(text => typeof text === 'string'),
  )
  return { version, service, startedAt, decisions: good }
}

/** Adds what was counted since the last look, per second. A process that was not seen before counts from the next look on. */
function addGrowth(
  flows: Map<string, { -readonly [K in keyof Flow]: Flow[K] }>,
  last: Seen | undefined,
  now: Seen,
): void {
  if (last === undefined || last.document.startedAt !== now.document.startedAt || now.at <= last.at) return
  const seconds = (now.at - last.at) / 1000
  const keyOf = (one: LanesDocument['decisions'][number]) =>
    JSON.stringify([one.service, one.lane, one.served, one.outcome])
  const counts = new Map(last.document.decisions.map(one => [keyOf(one), one.count]))
  for (const one of now.document.decisions) {
    const grown = one.count - (counts.get(keyOf(one)) ?? 0)
    if (!(grown > 0)) continue
    const key = `${now.document.service}\n${keyOf(one)}`
    const flow = flows.get(key)
    if (flow !== undefined) flow.perSecond += grown / seconds
    else {
      const { service: to, lane, served, outcome } = one
      flows.set(key, { from: now.document.service, to, lane, served, outcome, perSecond: grown / seconds })
    }
  }
}
