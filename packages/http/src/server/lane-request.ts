import type { Lane } from '@laneway/core'

/** What `withLane` and `laneServer` add to a request. */
export interface WithLane {
  /** The lane the request runs in; `undefined` for none. */
  lane: Lane | undefined
}
