/**
 * On a class of channels that a preload has wrapped: the class below. Registered, because two copies of this package may meet
 * one copy of grpc-js.
 */
export const kPlainChannel: unique symbol = Symbol.for('laneway.grpc.channel') as never

/** The class of channels that knows nothing of lanes. */
export function plainChannel<C>(Channel: C): C {
  return (Channel as { [kPlainChannel]?: C })[kPlainChannel] ?? Channel
}
