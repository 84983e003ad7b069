import { slot } from './context/context-slot.js'

/** Gives the operator a message. */
export type Warn = (message: string) => void

/** The default: to the logger of `setLogger`; without one, a Node process warning of type `LanewayWarning`. */
export function emitLanewayWarning(message: string): void {
  const { logger } = slot
  if (logger?.warn === undefined) process.emitWarning(message, 'LanewayWarning')
  else {
    try {
      logger.warn(`laneway: ${message}`)
    } catch {
      // A log must not end a request.
    }
  }
}

/** Warns of an error that no request can end with, because the request was over or went on without Laneway. */
export function warnOfFault(error: unknown): void {
  emitLanewayWarning(`a fault in Laneway or in its resolver: ${(error as Error)?.stack ?? error}`)
}
