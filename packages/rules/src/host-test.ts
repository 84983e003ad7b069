import type { TextTest } from './document.js'
import { compileTextTest, type Test } from './text-test.js'

/**
 * Compiles a test of the host. `*.example.com` stands for one or more labels in front, as in Gateway API.
 * https://gateway-api.sigs.k8s.io/reference/spec/#hostname
 */
export function compileHostTest(test: TextTest): Test {
  if ('exact' in test) return anyHost([test.exact])
  if ('in' in test) return anyHost(test.in)
  return compileTextTest(test)
}

export function isWildcard(host: string): boolean {
  return host.startsWith('*.')
}

function anyHost(hosts: readonly string[]): Test {
  const lower = hosts.map(host => host.toLowerCase())
  const exact = new Set(lower.filter(host => !isWildcard(host)))
  const suffixes = lower.filter(isWildcard).map(host => host.slice(1))
  return value => {
    if (value === undefined) return false
    if (exact.has(value)) return true
    for (const suffix of suffixes) if (value.length > suffix.length && value.endsWith(suffix)) return true
    return false
  }
}
