/** Gives the operator a message. Code that treats one kind of warning in its own way reads `facts`, never the text. */
export type Warn = (message: string, facts?: WarningFacts) => void

/** A warning as data. */
export type WarningFacts =
  /** An option mends it. `worded` is the message with another name for that option. */
  | { readonly kind: 'option'; readonly option: string; readonly worded: (option: string) => string }
  /** An endpoint counts as base, since its metadata has `key` where `meant` would carry a lane. */
  | { readonly kind: 'metadata-key'; readonly key: string; readonly meant: string }
  /** Endpoints of a registry were dropped, because they cannot be used. */
  | { readonly kind: 'endpoints-dropped' }

/** The default: a Node process warning of type `LanewayWarning`. */
export function emitLanewayWarning(message: string): void {
  process.emitWarning(message, 'LanewayWarning')
}

/** Warns of an error that no request can end with, because the request was over or went on without Laneway. */
export function warnOfFault(error: unknown): void {
  emitLanewayWarning(`a fault in Laneway or in its resolver: ${(error as Error)?.stack ?? error}`)
}
