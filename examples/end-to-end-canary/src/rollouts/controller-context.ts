import type { Clock } from '../cluster/clock.js'
import type { Journal } from '../cluster/journal.js'
import type { Store } from '../cluster/store.js'

/** What every controller here works with. */
export interface ControllerContext {
  readonly store: Store
  readonly clock: Clock
  readonly journal: Journal
}
