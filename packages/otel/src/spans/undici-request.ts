/** What is read of the request that undici publishes on its channels; of any undici and of the copy inside Node. */
export interface UndiciRequest {
  readonly origin?: unknown
  readonly method?: unknown
  /** Name, value, name, value, ...; a string up to undici 5. */
  readonly headers?: unknown
  /** The `Host` that the caller set. */
  readonly host?: unknown
}

/** The value of a header that was put on the request before undici published it. Never throws. */
export function undiciHeader({ headers }: UndiciRequest, name: string): string | undefined {
  if (!Array.isArray(headers)) return undefined
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const key: unknown = headers[index]
    if (typeof key === 'string' && key.length === name.length && key.toLowerCase() === name) {
      const value: unknown = headers[index + 1]
      return typeof value === 'string' ? value : undefined
    }
  }
  return undefined
}

/** `host:port` of the connection, or `undefined` when that is what the caller asked for: then nothing was resolved. */
export function resolvedAddress({ origin, host }: UndiciRequest): string | undefined {
  const text = String(origin)
  const start = text.indexOf('://') + 3
  if (start === 2) return undefined
  const authority = text.endsWith('/') ? text.slice(start, -1) : text.slice(start)
  if (host === undefined || host === null || host === authority) return undefined
  return /:\d+$/.test(authority) ? authority : `${authority}:${text.startsWith('https') ? 443 : 80}`
}
