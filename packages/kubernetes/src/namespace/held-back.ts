import type { Warn } from '@laneway/core/internal'
import type { HeldEndpoint } from './join.js'

/** Watches over endpoints that are held back, and tells of those that stay so. */
export interface HeldBack {
  /** What one service holds back now; replaces what it held before. */
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
 * @param afterMs - a pod unknown for longer is told of, once
 * @param onOverdue - a service has an endpoint that was just told of
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
    const told: string[] = []
    for (const [service, waiting] of services) {
      const late = [...waiting.values()].filter(one => !one.reported && one.since <= due)
      if (late.length === 0) continue
      for (const one of late) one.reported = true
      told.push(service)
      const { pod, address, uid } = late[0]!.endpoint
      warn(
        `${late.length} endpoint(s) of service ${service} in namespace ${namespace} are held back, because their pods ` +
          `have not been seen for ${afterMs / 1000} s: ${address} is pod ${pod} (uid ${uid || 'missing'}). ` +
          'Is podSelector too narrow, or does something else write the EndpointSlice?',
      )
    }
    arm()
    for (const service of told) onOverdue(service)
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
