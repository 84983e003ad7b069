import { callNow } from '../context/call-context.js'
import type { Lane } from '../lane/lane.js'
import { channels, type EgressEvent } from '../log/events.js'

const { egress } = channels

/** Tells what became of the tag of a hop; builds nothing while nobody subscribes. */
export function publishEgress(host: string, lane: Lane | undefined, action: EgressEvent['action']): void {
  if (!egress.hasSubscribers) return
  const call = callNow()
  const event: EgressEvent = call === undefined ? { host, lane, action } : { host, lane, action, call }
  egress.publish(event)
}
