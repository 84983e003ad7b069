const X = 120
const OTHER_SIGN = /[^a-z0-9-]/
const EACH_OTHER_SIGN = /[^a-z0-9-]/g

/**
 * Whether a field says who the client is, so that the gateway removes it and writes its own. Behind proxies, the gateway
 * appends to `X-Forwarded-For` and `Forwarded`, and keeps the others.
 *
 * The gateway also removes names that other servers read as one of these: CGI, WSGI and PHP make the same variable of `_`
 * and `-`, old ones of every sign. `@laneway/core` does the same for the lane's header.
 *
 * @param name - lower-case
 * @param proxies - how many proxies stand in front
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
