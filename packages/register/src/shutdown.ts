import { running } from './start.js'

// Loading this package is what starts it.
running()

/**
 * Deregisters this instance and waits until its callers may be expected to know, at most `LANEWAY_SHUTDOWN_MS`. Call it
 * before closing the server when the app listens to SIGTERM itself. Idempotent; never rejects; returns at once where
 * nothing is registered.
 */
export function shutdown(): Promise<void> {
  return running().shutdown()
}
