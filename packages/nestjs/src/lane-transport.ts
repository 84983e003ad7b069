import { bindLane, LanewayError, runInLane } from '@laneway/core'
import { describe } from '@laneway/core/internal'

type Callable = (this: unknown, ...args: any[]) => any

/** A client or a server of `@nestjs/microservices` that makes its connection in `createClient`. */
interface Transport {
  createClient?: Callable
  /** Of a client: makes what a reply is given to. */
  createObserver?: Callable
}

const kLanes = Symbol.for('laneway.nestjs.transport')

/**
 * Gives lanes to the connection that a client or a server of Nest makes, and to what follows a reply in the caller's pipe.
 *
 * @param where - the function that takes the transport
 * @param giveLanes - to the connection
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function giveTransportLanes<T extends object>(
  where: string,
  transport: T,
  giveLanes: <C extends object>(client: C) => C,
): T {
  const { createClient, createObserver } = Object(transport) as Transport
  if (typeof createClient !== 'function') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where} takes a client or a server of @nestjs/microservices, received ${describe(transport)}`,
    )
  }
  if (kLanes in transport) return transport
  Object.defineProperty(transport, kLanes, { value: true })
  const methods: Transport = {
    createClient(...args) {
      // The connection that a request happens to open belongs to no lane. Nest 12 returns a promise.
      const made = runInLane(undefined, () => Reflect.apply(createClient, transport, args))
      return typeof made?.then === 'function' ? made.then(giveLanes) : giveLanes(made)
    },
  }
  if (typeof createObserver === 'function') {
    // Replies arrive on a connection that requests share.
    methods.createObserver = (...args) => bindLane(Reflect.apply(createObserver, transport, args))
  }
  return Object.assign(transport, methods)
}
