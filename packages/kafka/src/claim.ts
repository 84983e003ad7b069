/** Set on what has lanes already. Registered: two copies of this package may meet one client. */
const kLanes = Symbol.for('laneway.kafka.lanes')

/** Marks a client, producer, consumer or stream. @returns `false` when it had been marked before */
export function claim(target: object): boolean {
  if (kLanes in target) return false
  Object.defineProperty(target, kLanes, { value: true })
  return true
}

/** Whether a client, producer, consumer or stream has been marked. */
export const isClaimed = (target: object): boolean => kLanes in target
