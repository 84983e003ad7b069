/**
 * The property in which a class of channels that a preload has wrapped keeps the original class. A registered symbol, because
 * two copies of this package may use one copy of grpc-js.
 */
export const kPlainChannel: unique symbol = Symbol.for('laneway.grpc.channel') as never

/** The class of channels that knows nothing of lanes. */
export function plainChannel<C>(Channel: C): C {
  return (Channel as { [kPlainChannel]?: C })[kPlainChannel] ?? Channel
}
