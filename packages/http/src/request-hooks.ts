import { errorMonitor } from 'node:events'
import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { classOf } from './node-internals.js'

const kWatcher = Symbol('laneway.hop')

type HookedRequest = ClientRequest & { [kWatcher]: RequestWatcher }

/** Told of what happens to a request between the agent and its socket. */
export interface RequestWatcher {
  /** The agent has a socket for the request, or the reason why it has none. */
  received(socket: Socket | undefined, error: Error | null | undefined): void
  /** The caller gave up. */
  cancel(error: unknown): void
  /** Those who listen are about to be told that the request is idle for the time they set. */
  timingOut(): void
  /** The request is over, one way or another; may come twice. */
  ended(): void
}

export function hookRequest(request: ClientRequest, watcher: RequestWatcher): void {
  const hooked = request as unknown as { [kWatcher]: RequestWatcher; onSocket: unknown; destroy: unknown }
  hooked[kWatcher] = watcher
  hooked.onSocket = onSocket
  hooked.destroy = destroy
  // The first listener: it hears of the timeout before the caller gives up because of it.
  request.on('timeout', onTimeout)
  request.once('close', onEnd)
  // Before the caller hears of the error and tries again. Not 'error', which would take it for handled.
  request.once(errorMonitor, onEnd)
}

/** From now on the request gets its socket from the agent directly. */
export function unhookRequest(request: ClientRequest): void {
  const hooked = request as unknown as { onSocket?: unknown; destroy?: unknown }
  delete hooked.onSocket
  delete hooked.destroy
}

function onSocket(this: HookedRequest, socket: Socket | undefined, error?: Error): void {
  this[kWatcher].received(socket, error)
}

function destroy(this: HookedRequest, error?: Error): ClientRequest {
  const first = !this.destroyed
  classOf(this).destroy.call(this, error)
  if (first) this[kWatcher].cancel(error)
  return this
}

function onTimeout(this: HookedRequest): void {
  this[kWatcher].timingOut()
}

function onEnd(this: HookedRequest): void {
  this[kWatcher].ended()
}
