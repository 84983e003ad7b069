import type { Warn } from '@laneway/core/internal'
import type { HeldEndpoint } from './join.js'

/** Keeps the endpoints that are held back, and warns of those that are held back for long. */
export interface HeldBack {
  /** Replaces the endpoints that one service holds back. */
  update(service: string, held: readonly HeldEndpoint[]): void
  /** Whether this service has waited long enough for its pods. */
  overdue(service: string): boolean
  close(): void
}

interface Waiting {
  readonly since: number
  readonly endpoint: HeldEndpoint
  reported: boolean
}

/**
 * @param afterMs - after this time the endpoint is reported to `warn`, once
 * @param onOverdue - called with a service whose endpoint was just reported
 */
export function createHeldBack(
  namespace: string,
  afterMs: number,
  warn: Warn,
  onOverdue: (service: string) => void,
): HeldBack {
  const services = new Map<string, Map<string, Waiting>>()
  let timer: NodeJS.Timeout | undefined

  function arm(): void {
    clearTimeout(timer)
    timer = undefined
    let next = Number.POSITIVE_INFINITY
    for (const waiting of services.values()) {
      for (const one of waiting.values()) if (!one.reported && one.since < next) next = one.since
    }
    if (next < Number.POSITIVE_INFINITY) timer = setTimeout(report, Math.max(1, next + afterMs - performance.now()))
  }

  function report(): void {
    const due = performance.now() - afterMs
    const overdue: string[] = []
    for (const [service, waiting] of services) {
      const late = [...waiting.values()].filter(one => !one.reported && one.since <= due)
      if (late.length === 0) continue
      for (const one of late) one.reported = true
      overdue.push(service)
      const { pod, address, uid } = late[0]!.endpoint
      warn(
        `${late.length} endpoint(s) of service ${service} in namespace ${namespace} are held back, because their pods ` +
          `have not been seen for ${afterMs / 1000} s: ${address} is pod ${pod} (uid ${uid || 'missing'}). ` +
          'Is podSelector too narrow, or does something else write the EndpointSlice?',
      )
    }
    arm()
    for (const service of overdue) onOverdue(service)
  }

  return {
    update(service, held) {
      if (held.length === 0) {
        if (services.delete(service)) arm()
        return
      }
      const before = services.get(service)
      const now = new Map<string, Waiting>()
      for (const endpoint of held) {
        const key = `${endpoint.uid} ${endpoint.address}`
        now.set(key, before?.get(key) ?? { since: performance.now(), endpoint, reported: false })
      }
      services.set(service, now)
      arm()
    },
    overdue: service => [...(services.get(service)?.values() ?? [])].some(one => one.reported),
    close: () => clearTimeout(timer),
  }
}
