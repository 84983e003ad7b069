/** Of this process or its machine: no file descriptor, no memory. */
const SHORTAGES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/**
 * Whether no connection was made because this process has run short of what a connection needs. That says nothing about an
 * endpoint, and a client that opens many connections can bring it about: no endpoint is blamed, and the request does not
 * leave its lane for another one. Never throws.
 *
 * @param error - what Node or undici reports
 */
export function isOwnShortage(error: unknown): boolean {
  return SHORTAGES.has((Object(error) as { code?: unknown }).code)
}
