import type { Emitter, IngressOptions } from '@laneway/core'
import { createIngress, guardExpressLayers, type IngressRequest, isDisabled, runRequest } from '@laneway/core/internal'
import { type EmitBelow, emitBelow, REQUEST_EVENTS } from './emit-below.js'
import { adoptDecision, GrpcRequest, isGrpcCall, type StreamArguments, servesRequests } from './grpc-stream.js'
import type { HasLane } from './lane-request.js'

/** By a registered symbol, because two copies of this package may meet one server. */
const kLaned = Symbol.for('laneway.http.server')

interface LanedServer extends Emitter {
  [kLaned]?: true
}

/**
 * Makes every listener of an HTTP server that gets a request run in the lane of that request: `request`, `upgrade`,
 * `checkContinue`, `checkExpectation` and `connect`, whether it is attached before or after this call. On `upgrade` and
 * `connect` the listeners of the socket run in the lane too, and so do those of WebSocket messages.
 *
 * Laneway adds no listener: a server with an `upgrade` listener does not serve `Upgrade: h2c` as an ordinary request, and
 * `java.net.http` sends that with plain GETs.
 *
 * Takes `http`, `https` and `http2` servers (the compatibility API). A second call on one server changes nothing.
 *
 * Of an `http2` server without the compatibility API, the gRPC calls run in their lanes: those that come as `stream` with a
 * content type of `application/grpc`, as in the servers of `@grpc/grpc-js`.
 *
 * Under `LANEWAY_DISABLE` with `all` or `ingress` the server stays as it is.
 *
 * @param onFault - for a preload: called with a fault of Laneway's own; the request is then served without Laneway
 * @returns the server
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, when called; a request never causes one
 */
export function laneServer<S extends Emitter>(
  server: S,
  options: IngressOptions = {},
  onFault: (error: unknown) => void = rethrow,
): S {
  if (isDisabled(['ingress'])) return server
  const ingress = createIngress('laneServer', options)
  // The app knows nothing of Laneway, so its requests get no property.
  const preloaded = options.provisional === true
  const laned: LanedServer = server
  if (laned[kLaned] === true) return server
  laned[kLaned] = true
  const own = Object.hasOwn(server, 'emit') ? server.emit : undefined
  const below = emitBelow(server)
  /** Has had a gRPC call that its listeners of `request` see too. */
  let mixed = false

  // Wrapping `emit` reaches all listeners, old and new, and `listeners()` and `listenerCount()` stay as they are.
  function laneServerEmit(this: unknown, ...args: unknown[]): boolean {
    // Looked up now: an instrumentation may have replaced it since.
    const emit = own ?? (Object.getPrototypeOf(server) as Emitter).emit
    if (args[0] === 'stream') return emitStream(this, emit, args)
    if (!REQUEST_EVENTS.has(args[0])) return Reflect.apply(emit, this, args) as boolean
    const before = handedOn
    try {
      const request = args[1] as IngressRequest & Emitter & HasLane
      if (mixed) adoptDecision(request)
      const decision = ingress(request)
      if (!preloaded) request.lane = decision.lane
      const result = runRequest(decision, request, args[2] as Emitter, handOn, below, emit, args)
      if (!preloaded) guardExpressLayers(request)
      return result
    } catch (error) {
      if (handedOn !== before) throw error
      onFault(error)
      return Reflect.apply(emit, this, args) as boolean
    }
  }
  function emitStream(self: unknown, emit: Emitter['emit'], args: unknown[]): boolean {
    const before = handedOn
    try {
      if (isGrpcCall(server, args)) {
        const [, stream, headers, , rawHeaders] = args as StreamArguments
        const request = new GrpcRequest(stream, headers, rawHeaders)
        mixed ||= servesRequests(server)
        return runRequest(ingress(request), request, stream, applyOn, self, emit, args)
      }
    } catch (error) {
      if (handedOn !== before) throw error
      onFault(error)
    }
    return Reflect.apply(emit, self as object, args) as boolean
  }

  // As enumerable as before, for loops over the properties of the server.
  Object.defineProperty(server, 'emit', {
    value: laneServerEmit,
    writable: true,
    configurable: true,
    enumerable: own !== undefined,
  })
  return server
}

function applyOn(self: unknown, emit: Emitter['emit'], args: unknown[]): boolean {
  handedOn++
  return Reflect.apply(emit, self as object, args) as boolean
}

/** Requests handed on so far. An error before that is Laneway's own; a later one comes from a listener. */
let handedOn = 0

function handOn(below: EmitBelow, emit: Emitter['emit'], args: unknown[]): boolean {
  handedOn++
  return below(emit, args)
}

function rethrow(error: unknown): never {
  throw error
}
