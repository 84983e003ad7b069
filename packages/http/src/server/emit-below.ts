import { EventEmitter } from 'node:events'
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import { Server } from 'node:net'
import { Server as TlsServer } from 'node:tls'
import type { Emitter } from '@laneway/core'
import { runListeners, sharesContext } from '@laneway/core/internal'

/** The events of a server that hand over a request. */
export const REQUEST_EVENTS: ReadonlySet<unknown> = new Set([
  'request',
  'upgrade',
  'connect',
  'checkContinue',
  'checkExpectation',
])

/** Calls an `emit` of the server with these arguments; the listeners run in the lane of the request. */
export type EmitBelow = (emit: Emitter['emit'], args: unknown[]) => boolean

/** Prototypes of Node whose `emit` the instrumentations of OpenTelemetry, Datadog, New Relic and Elastic replace. */
const PATCHED: ReadonlySet<object> = new Set(
  [Server, TlsServer, HttpServer, HttpsServer].map(({ prototype }) => prototype),
)

/**
 * Enters the lane below an instrumentation. That of OpenTelemetry wraps `emit` of `http.Server.prototype` and calls the
 * listeners in a new context, where a lane that was kept in the context of OpenTelemetry is gone. So it gets a stand-in of the
 * server, whose only listener enters the lane again and emits to the server itself. This works whenever the instrumentation
 * was loaded, and adds no listener that the server would show.
 */
export function emitBelow(server: Emitter): EmitBelow {
  /** The server had an `emit` of its own before. */
  const wrapped = Object.hasOwn(server, 'emit')
  /** The result of the latest emission, read directly after it. */
  let had = false
  const events = Object.create(null) as Record<string, unknown>
  for (const event of REQUEST_EVENTS as ReadonlySet<string>) {
    events[event] = (...args: unknown[]) => {
      had = runListeners(args[0] as object, Reflect.apply, EventEmitter.prototype.emit, server, [event, ...args])
    }
  }
  const standIn = Object.create(server, { _events: { value: events, writable: true } }) as Emitter
  let known: Emitter['emit'] = EventEmitter.prototype.emit
  let patched = false

  return (emit, args) => {
    if (!sharesContext()) return Reflect.apply(emit, server, args) as boolean
    if (emit !== known) {
      known = emit
      patched = wrapped || isPatched(server)
    }
    if (!patched) return Reflect.apply(emit, server, args) as boolean
    Reflect.apply(emit, standIn, args)
    return had
  }
}

/** Whether only wrappers of Node's own prototypes are in between. A class of the user may depend on its `this`. */
function isPatched(server: object): boolean {
  let owner: object | null = Object.getPrototypeOf(server)
  while (owner !== null && !Object.hasOwn(owner, 'emit')) owner = Object.getPrototypeOf(owner)
  return owner !== null && PATCHED.has(owner)
}
