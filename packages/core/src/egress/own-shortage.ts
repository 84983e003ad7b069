/** Codes of errors that this process or its machine causes: no file descriptor, no memory. */
const SHORTAGES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/**
 * Whether a connection failed because this process lacks file descriptors or memory. That says nothing about the
 * endpoint, and a client that opens many connections can cause it. So no endpoint is blamed, and the request stays in its
 * lane. Never throws.
 *
 * @param error - what Node or undici reports
 */
export function isOwnShortage(error: unknown): boolean {
  return SHORTAGES.has((Object(error) as { code?: unknown }).code)
}
