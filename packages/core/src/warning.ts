/** Gives the operator a message. */
export type Warn = (message: string) => void

/** The default: a Node process warning of type `LanewayWarning`. */
export function emitLanewayWarning(message: string): void {
  process.emitWarning(message, 'LanewayWarning')
}

/** Warns of an error that no request can end with, because the request was over or went on without Laneway. */
export function warnOfFault(error: unknown): void {
  emitLanewayWarning(`a fault in Laneway or in its resolver: ${(error as Error)?.stack ?? error}`)
}
