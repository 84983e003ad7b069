import { channel } from 'node:diagnostics_channel'

/** A request that got no connection, as Node and undici report it. */
export interface FailedCall {
  /** As in the URL. */
  readonly hostname: string
  /** `undefined` for the default of the scheme, or when it is not known. */
  readonly port: number | undefined
  /** DNS does not have the name. */
  readonly unknownName: boolean
}

const UNKNOWN_NAME = new Set(['ENOTFOUND', 'EAI_AGAIN'])
const UNREACHABLE = new Set(['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

const listeners = new Set<(call: FailedCall) => void>()

/**
 * Reports requests that got no connection, of every client. Subscribes to channels that Node and undici write to after
 * such a failure only, so other requests cost nothing.
 *
 * @returns the unsubscribe
 */
export function watchFailedCalls(listener: (call: FailedCall) => void): () => void {
  if (listeners.size === 0) {
    channel('http.client.request.error').subscribe(onHttpError)
    channel('undici:client:connectError').subscribe(onUndiciError)
  }
  listeners.add(listener)
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return
    channel('http.client.request.error').unsubscribe(onHttpError)
    channel('undici:client:connectError').unsubscribe(onUndiciError)
  }
}

interface NetError {
  readonly code?: unknown
  readonly hostname?: unknown
}

function onHttpError(message: unknown): void {
  const { request, error } = Object(message) as {
    request?: { host?: unknown; getHeader?: (name: string) => unknown }
    error?: NetError
  }
  const named = String(request?.getHeader?.('host') ?? '')
  const host = request?.host
  // `Host` has the port, unless the caller wrote another name into it.
  const port = named.startsWith(`${host}:`) ? Number(named.slice(String(host).length + 1)) : undefined
  report(host, port, error)
}

function onUndiciError(message: unknown): void {
  const { connectParams, error } = Object(message) as {
    connectParams?: { hostname?: unknown; port?: unknown }
    error?: NetError
  }
  report(connectParams?.hostname, Number(connectParams?.port) || undefined, error)
}

function report(hostname: unknown, port: number | undefined, error: NetError | undefined): void {
  if (typeof hostname !== 'string' || typeof error?.code !== 'string') return
  const unknownName = UNKNOWN_NAME.has(error.code)
  if (!unknownName && !UNREACHABLE.has(error.code)) return
  // Behind a proxy, the name that DNS does not have is the proxy's.
  if (unknownName && error.hostname !== undefined && error.hostname !== hostname) return
  for (const listener of [...listeners]) listener({ hostname, port, unknownName })
}
