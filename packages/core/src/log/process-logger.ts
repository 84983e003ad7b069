import { slot } from '../context/context-slot.js'
import { assertLogger } from './log-output.js'
import type { Logger } from './logger.js'

/**
 * Gives the whole process a logger: warnings of every component that was given no `warn` of its own go to its `warn`, and the lines
 * of `logLanes` without a logger of its own to its `debug`. For pino, `app.log` of Fastify, winston and `console`.
 *
 * @param logger - `undefined`: warnings are process warnings of type `LanewayWarning` again
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for what is no logger
 * @example
 * setLogger(pino())
 */
export function setLogger(logger: Logger | undefined): void {
  if (logger !== undefined) assertLogger('setLogger', logger)
  slot.logger = logger
}
