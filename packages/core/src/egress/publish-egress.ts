import { callNow } from '../context/call-context.js'
import type { Lane } from '../lane/lane.js'
import { channels, type EgressEvent } from '../log/events.js'

const { egress } = channels

/** Publishes what happened to the tag of a hop. Builds no event while there is no subscriber. */
export function publishEgress(host: string, lane: Lane | undefined, action: EgressEvent['action']): void {
  if (!egress.hasSubscribers) return
  const call = callNow()
  const event: EgressEvent = call === undefined ? { host, lane, action } : { host, lane, action, call }
  egress.publish(event)
}
