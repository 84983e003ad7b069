/**
 * A property that undici keeps under a symbol of its own. undici has no public way to the parts that Laneway must reach (the
 * pools of an Agent, the direct agent of a proxy). The descriptions are the same from undici 6 to 8. Where one is missing,
 * Laneway does without the feature that needs it.
 */
export function internal(owner: object, description: string): unknown {
  for (const symbol of Object.getOwnPropertySymbols(owner)) {
    if (symbol.description === description) return (owner as Record<symbol, unknown>)[symbol]
  }
  return undefined
}

/** Class names of an object, the most derived first. */
export function classNames(value: object): string[] {
  const names: string[] = []
  for (let proto = Object.getPrototypeOf(value); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const name = proto.constructor?.name
    if (name === 'Object' || name === 'EventEmitter') break
    if (typeof name === 'string' && name !== '') names.push(name)
  }
  return names
}

/** Whether a dispatcher connects to a unix socket, whatever the origin says. */
export function hasSocketPath(dispatcher: object): boolean {
  const options = internal(dispatcher, 'options') as { socketPath?: unknown; connect?: unknown } | undefined
  const connect = Object(options?.connect) as { socketPath?: unknown }
  return typeof options?.socketPath === 'string' || typeof connect.socketPath === 'string'
}
