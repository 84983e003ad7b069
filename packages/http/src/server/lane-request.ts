import type { Lane } from '@laneway/core'

/** What `laneHandler` and `laneServer` add to a request. */
export interface HasLane {
  /** The lane the request runs in; `undefined` for none. */
  lane: Lane | undefined
}
