import { AsyncLocalStorage } from 'node:async_hooks'
import type { KafkajsConsumer } from '../kafka.js'

/** What delivered the message that the running code handles. */
export interface Delivery {
  /** As the program names it. */
  readonly group: string
  /** As the broker knows it. */
  readonly laneGroup: string
  /** A stand-in; `undefined` where the program's own consumer delivered it. */
  readonly consumer: KafkajsConsumer | undefined
}

/** Set while a message of a lane's group is handled: its commits go to that group. */
export const deliveries = new AsyncLocalStorage<Delivery>()

/** The group that holds the offsets of the message that is handled. */
export function groupOfDelivery(group: string): string {
  const delivery = deliveries.getStore()
  return delivery?.group === group ? delivery.laneGroup : group
}
