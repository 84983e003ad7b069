const X = 120
const OTHER_SIGN = /[^a-z0-9-]/
const EACH_OTHER_SIGN = /[^a-z0-9-]/g

/**
 * Whether a field says who the client is, and the gateway writes it anew. A client that says it is not believed; with
 * believed proxies, `X-Forwarded-For` and `Forwarded` are merged instead, and the others stay.
 *
 * Names that other servers take for one of them are never passed on: CGI, WSGI and PHP make the same variable of `_` and
 * `-`, old ones of every sign. For the lane's header, `@laneway/core` does the same.
 *
 * @param name - lower-case
 * @param proxies - how many proxies in front are believed
 */
export function isForwarded(name: string, proxies: number): boolean {
  if (name === 'x-forwarded-for' || name === 'forwarded') return true
  if (name.charCodeAt(0) !== X) return false
  if (OTHER_SIGN.test(name)) return isForwardedName(name.replace(EACH_OTHER_SIGN, '-'))
  return proxies === 0 && isForwardedName(name)
}

function isForwardedName(name: string): boolean {
  return name.startsWith('x-forwarded-') || name === 'x-real-ip'
}
