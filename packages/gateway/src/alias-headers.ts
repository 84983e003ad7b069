import { DEFAULT_HEADER } from '@laneway/core'

/**
 * Names that other servers read as one that the gateway decides about: CGI, WSGI and PHP make the same variable of `_`
 * and `-`, and a service behind may still listen to the default name of the lane's header.
 *
 * @param header - the one that carries the lane; it is not among them
 * @param edge - nobody is believed about the lane
 * @returns a test for lower-case names
 */
export function createAliasTest(header: string, edge: boolean): (name: string) => boolean {
  const dashed = header.replaceAll('_', '-')
  return name => {
    if (name === header) return false
    const plain = name.includes('_') ? name.replaceAll('_', '-') : name
    if (edge && (plain === dashed || plain === DEFAULT_HEADER)) return true
    return plain !== name && (plain.startsWith('x-forwarded-') || plain === 'x-real-ip')
  }
}
