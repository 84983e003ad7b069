import type { Emitter } from '@laneway/core'
import { reserveDecision, reserveEmit } from '@laneway/core/internal'

/** Registered, because two copies of this package may meet one application. */
const kReserves = Symbol.for('laneway.express.reserves')

interface Application {
  readonly request?: { readonly emit?: unknown }
  readonly response?: { readonly emit?: unknown }
  handle?: (request: Emitter & { lane?: unknown }, response: Emitter, ...rest: unknown[]) => unknown
  [kReserves]?: true
}

/** From V8 12.9 on, objects whose prototype was replaced in the same way share their hidden classes again. */
const isCheap = Number.parseInt(process.versions.node, 10) >= 24
let latest: unknown

/**
 * Makes an application give each request the properties that the middleware sets, before it replaces the prototypes.
 * After that, on Node 20 and 22, each new property takes 0.7 µs and a hidden class that no other request has, so that
 * all code that reads the request gets slower, Express itself too (benchmark case hop/express). Never throws.
 */
export function reserveProperties(request: object): void {
  const { app } = request as { app?: unknown }
  if (isCheap || app === latest || typeof app !== 'function') return
  latest = app
  const application = app as Application
  const { handle } = application
  if (application[kReserves] === true || typeof handle !== 'function') return
  try {
    Object.defineProperty(application, kReserves, { value: true })
    application.handle = function handleReserved(request, response, ...rest) {
      reserve(application, request, response)
      return handle.call(this, request, response, ...rest)
    }
  } catch {
    // An application that forbids it stays as it is.
  }
}

function reserve(application: Application, request: Emitter & { lane?: unknown }, response: Emitter): void {
  if (typeof request?.emit !== 'function' || typeof response?.emit !== 'function') return
  reserveDecision(request)
  // An application may have an `emit` of its own for them, which must not be hidden.
  if (application.request?.emit === request.emit) reserveEmit(request)
  if (application.response?.emit === response.emit) reserveEmit(response)
  if (!('lane' in request)) request.lane = undefined
}
