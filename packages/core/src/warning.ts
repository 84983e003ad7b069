/** Tells the operator something once. */
export type Warn = (message: string) => void

/** The default: a Node process warning of type `LanewayWarning`. */
export function emitLanewayWarning(message: string): void {
  process.emitWarning(message, 'LanewayWarning')
}
