import type { Choice } from '@laneway/discovery'
import type { DispatchOptions } from '../dispatcher/dispatcher.js'

/** The key of dispatch options for a {@link ChoiceListener}. Interceptors copy options with their symbols. */
export const kChoiceListener: unique symbol = Symbol.for('laneway.undici.choice-listener.v1') as never

/** Hears where its request goes, for a proxy that reports it. */
export interface ChoiceListener {
  /**
   * Called each time an attempt goes to an endpoint, and when no endpoint may serve the request. The last call counts.
   * Never called for a host that is no service.
   */
  chosen(choice: Choice): void
}

/** Reports a choice to the code that dispatched the request. */
export function reportChoice(options: DispatchOptions, choice: Choice): void {
  ;(options as { [kChoiceListener]?: ChoiceListener })[kChoiceListener]?.chosen(choice)
}
