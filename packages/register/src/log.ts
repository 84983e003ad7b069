import { type Logger, logLanes, setLogger, type Warn } from '@laneway/core'
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

const SILENT: Logger = { debug() {}, warn() {} }

/** @param write - takes the lines of `LANEWAY_LOG=debug` */
export function createLog({ log, logFormat }: RegisterConfig, write: (text: string) => void): Log {
  if (log === 'debug') logLanes({ write, json: logFormat === 'json' })
  if (log === 'silent') setLogger(SILENT)
  return {
    warn: createWarn(emitLanewayWarning),
    useLogger(next) {
      assertLogger('useLogger', next)
      if (log !== 'silent') setLogger(next)
    },
  }
}
