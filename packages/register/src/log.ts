import { type Logger, logLanes, type Warn } from '@laneway/core'
import { assertLogger, emitLanewayWarning } from '@laneway/core/internal'
import type { RegisterConfig } from './config/config.js'
import { createWarn } from './config/register-words.js'

/** Where this package says things. */
export interface Log {
  /** Something the operator should know; said once. */
  readonly warn: Warn
  /** From now on warnings and the lines of `LANEWAY_LOG=debug` go to this logger. */
  readonly useLogger: (logger: Logger) => void
}

/** @param write - takes the lines of `LANEWAY_LOG=debug` */
export function createLog({ log, logFormat }: RegisterConfig, write: (text: string) => void): Log {
  const lines = log === 'debug' ? logLanes({ write, json: logFormat === 'json' }) : undefined
  let logger: Logger | undefined
  const give = (message: string) => {
    if (logger?.warn === undefined) emitLanewayWarning(message)
    else logger.warn(`laneway: ${message}`)
  }
  return {
    warn: log === 'silent' ? () => {} : createWarn(give),
    useLogger(next) {
      assertLogger('useLogger', next)
      lines?.useLogger(next)
      logger = next
    },
  }
}
