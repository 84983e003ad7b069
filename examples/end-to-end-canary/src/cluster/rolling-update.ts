/** What a Deployment has at one moment. */
export interface RollingState {
  readonly wanted: number
  /** Pods that the new ReplicaSet asks for, and those of it that are available. */
  readonly fresh: number
  readonly freshAvailable: number
  /** The same of the old ones together. */
  readonly old: number
  readonly oldAvailable: number
  readonly maxSurge: number | string
  readonly maxUnavailable: number | string
}

/**
 * The next sizes of the new and the old ReplicaSets, as the Deployment controller of Kubernetes goes about it: up as far
 * as the surge allows, then down as far as availability allows.
 */
export function nextSizes(state: RollingState): { fresh: number; old: number } {
  const { wanted, fresh, freshAvailable, old, oldAvailable } = state
  const surge = share(state.maxSurge, wanted, Math.ceil)
  let unavailable = share(state.maxUnavailable, wanted, Math.floor)
  if (surge === 0 && unavailable === 0) unavailable = 1
  const total = fresh + old
  if (fresh > wanted) return { fresh: wanted, old }
  if (fresh < wanted) {
    const more = Math.min(wanted - fresh, Math.max(wanted + surge - total, 0))
    if (more > 0) return { fresh: fresh + more, old }
  }
  const least = wanted - unavailable
  const broken = old - oldAvailable
  const room = total - least - (fresh - freshAvailable)
  const without = Math.min(Math.max(room, 0), broken)
  const spare = Math.max(Math.min(oldAvailable, freshAvailable + oldAvailable - least), 0)
  const fewer = Math.max(without, Math.min(Math.max(room, 0), spare))
  return { fresh, old: old - Math.min(old, fewer) }
}

/** A count, or a percentage of the wanted pods. */
export function share(value: number | string, of: number, round: (x: number) => number): number {
  if (typeof value === 'number') return value
  return value.endsWith('%') ? round((Number.parseFloat(value) / 100) * of) : Number.parseInt(value, 10)
}
