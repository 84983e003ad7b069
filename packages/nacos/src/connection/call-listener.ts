import type { Warn } from '@laneway/core/internal'

/**
 * Calls a listener of the user. What it throws is told to `warn` and goes no further: it must not end the session of all
 * others, nor make a subscription that stands look like one that failed.
 */
export function callListener(warn: Warn, call: () => void): void {
  try {
    call()
  } catch (error) {
    warn(`a listener threw: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
