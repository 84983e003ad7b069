import type { Warn } from '@laneway/core/internal'

/**
 * Calls a listener of the user. What it throws is reported to `warn` only: it must not end the session that others use, nor
 * make a good subscription look like one that failed.
 */
export function callListener(warn: Warn, call: () => void): void {
  try {
    call()
  } catch (error) {
    warn(`a listener threw: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
