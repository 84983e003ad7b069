import type { Logger } from '@laneway/core'
import type { RegisterHealth } from './lifecycle/health.js'
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

/**
 * The state of Laneway in this process: whether the registry is connected, the own registration, state and age of each
 * service. `ready` says whether requests can be served: it is `false` until every declared service was answered for once,
 * and after {@link shutdown}. A registry that is lost later is a warning and leaves `ready` as it is. Never throws.
 */
export function health(): RegisterHealth {
  return running().health()
}

/**
 * Gives Laneway the app's own logger: pino, winston, `app.log` of Fastify, `console`. Its warnings go to `warn`, and with
 * `LANEWAY_LOG=debug` its lines to `debug`, which that logger has to let through.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for what is no logger
 */
export function useLogger(logger: Logger): void {
  running().useLogger(logger)
}
