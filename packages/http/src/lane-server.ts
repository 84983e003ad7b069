import { createIngress, type Emitter, type IngressOptions, type IngressRequest, runRequest } from '@laneway/core'
import type { WithLane } from './lane-request.js'

/** The events of a server that hand over a request. */
const REQUEST_EVENTS: ReadonlySet<unknown> = new Set([
  'request',
  'upgrade',
  'connect',
  'checkContinue',
  'checkExpectation',
])

/** By a registered symbol, because two copies of this package may meet one server. */
const kLaned = Symbol.for('laneway.http.server')

interface LanedServer extends Emitter {
  [kLaned]?: true
}

/**
 * Makes every listener of an HTTP server that gets a request run in the lane of that request: `request`, `upgrade`,
 * `checkContinue`, `checkExpectation`, `connect`; those attached already and those attached later. On `upgrade` and
 * `connect` the listeners of the socket run in the lane too, so WebSocket messages do.
 *
 * No listener is added: a server with an `upgrade` listener refuses to treat `Upgrade: h2c` as an ordinary request, and
 * `java.net.http` sends that on plain GETs.
 *
 * Takes `http`, `https` and `http2` servers (the compatibility API). A second call on one server changes nothing.
 *
 * @returns the server
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a request never causes one
 */
export function laneServer<S extends Emitter>(server: S, options: IngressOptions = {}): S {
  const ingress = createIngress('laneServer', options)
  const laned: LanedServer = server
  if (laned[kLaned] === true) return server
  laned[kLaned] = true
  const { emit } = server

  // Wrapping what Node emits reaches listeners of any age and leaves `listeners()` and `listenerCount()` as they are.
  laned.emit = function laneServerEmit(this: unknown, ...args: unknown[]): boolean {
    if (!REQUEST_EVENTS.has(args[0])) return Reflect.apply(emit, this, args) as boolean
    const request = args[1] as IngressRequest & Emitter & WithLane
    const decision = ingress(request)
    request.lane = decision.lane
    return runRequest(decision, request, args[2] as Emitter, Reflect.apply, emit, this, args) as boolean
  }
  return server
}
