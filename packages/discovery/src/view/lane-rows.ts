import type { EndpointInput } from '../endpoint/endpoint.js'
import type { ServiceView } from './registry-view.js'

/** One lane of one service. */
export interface LaneRow {
  readonly service: string
  /** `base`, or a tag. */
  readonly lane: string
  readonly instances: number
  readonly healthy: number
  /** Sum of the weights of what is enabled. */
  readonly weight: number
  /** Versions in the metadata. */
  readonly versions: readonly string[]
  /** Milliseconds since the list of the service last changed while this view looked. */
  readonly ageMs: number
}

/** Metadata and labels that say a version. */
const VERSION_KEYS = ['version', 'app.kubernetes.io/version', 'service.version', 'app.version']

/** Rows by service, base first. Names and versions are as the registry says them: whoever shows them escapes them. */
export function laneRows(views: Iterable<ServiceView>, now: number): LaneRow[] {
  const rows = [...views].flatMap(view => rowsOf(view, now))
  return rows.sort((a, b) => compare(a.service, b.service) || rank(a.lane) - rank(b.lane) || compare(a.lane, b.lane))
}

function rowsOf({ service, endpoints = [], changedAt }: ServiceView, now: number): LaneRow[] {
  const groups = new Map<string, EndpointInput[]>([['base', []]])
  for (const endpoint of endpoints) {
    const tags = [...new Set(endpoint.tags)].filter(tag => tag !== 'base' && tag !== '')
    for (const tag of tags.length === 0 ? ['base'] : tags) groups.set(tag, [...(groups.get(tag) ?? []), endpoint])
  }
  return [...groups].map(([lane, members]) => {
    const enabled = members.filter(({ enabled = true }) => enabled)
    return {
      service,
      lane,
      instances: members.length,
      healthy: enabled.filter(({ health, weight = 1 }) => health !== 'unhealthy' && weight > 0).length,
      weight: enabled.reduce((sum, { weight = 1 }) => sum + weight, 0),
      versions: [...new Set(members.map(versionOf).filter(version => version !== undefined))].sort(),
      ageMs: Math.max(0, now - changedAt),
    }
  })
}

function versionOf({ metadata = {} }: EndpointInput): string | undefined {
  for (const key of VERSION_KEYS) if (metadata[key]) return metadata[key]
  return undefined
}

const rank = (lane: string) => (lane === 'base' ? 0 : 1)
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
