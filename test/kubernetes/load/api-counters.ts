import type { Kube } from '../kube.js'

/** What an API server has counted of the requests of discovery, by verb and resource, and of the events it has sent. */
export interface ApiCounters {
  /** Requests that have begun, e.g. `WATCH pods`; watches that are still open count. */
  readonly requests: ReadonlyMap<string, number>
  readonly events: number
  readonly eventBytes: number
}

const RESOURCES = /resource="(endpointslices|pods|services)"/

/** Reads `/metrics`. Requests for a whole cluster are those of the controllers, and are left out. */
export async function readCounters(kube: Kube): Promise<ApiCounters> {
  const { message } = await kube.call('GET', '/metrics')
  const requests = new Map<string, number>()
  let events = 0
  let eventBytes = 0
  for (const line of String(message).split('\n')) {
    const value = Number(line.slice(line.lastIndexOf(' ') + 1))
    if (/^apiserver_watch_events_total\{.*(kind|resource)="(EndpointSlice|Pod|endpointslices|pods)"/.test(line))
      events += value
    if (/^apiserver_watch_events_sizes_sum\{.*(kind|resource)="(EndpointSlice|Pod|endpointslices|pods)"/.test(line))
      eventBytes += value
    const resource = RESOURCES.exec(line)?.[1]
    const verb = /[{,]verb="(LIST|WATCH|GET)"/.exec(line)?.[1]
    if (resource === undefined || verb === undefined || !/scope="(namespace|resource)"/.test(line)) continue
    // A watch is counted when it ends; until then it stands among the long-running ones.
    if (!/^apiserver_(request_total|longrunning_requests)\{/.test(line)) continue
    const key = `${verb} ${resource}`
    requests.set(key, (requests.get(key) ?? 0) + value)
  }
  return { requests, events, eventBytes }
}

/** What has been added since `before`; after a restart of the server, all that it has counted. */
export function since(before: ApiCounters | undefined, now: ApiCounters): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [key, value] of now.requests) {
    const added = value - (before?.requests.get(key) ?? 0)
    if (added !== 0) counts[key] = added
  }
  const events = now.events - (before?.events ?? 0)
  const kilobytes = Math.round((now.eventBytes - (before?.eventBytes ?? 0)) / 1024)
  return { ...counts, ...(events > 0 && { 'watch events': events, 'KiB of events': kilobytes }) }
}
