import { domainToUnicode } from 'node:url'
import type { TextTest } from '../document/document.js'
import { compileTextTest, type Test } from './text-test.js'
import { asciiHost, wireHost } from './wire-text.js'

/**
 * Compiles a test of the host. `*.example.com` stands for one or more labels in front, as in Gateway API.
 * https://gateway-api.sigs.k8s.io/reference/spec/#hostname
 */
export function compileHostTest(test: TextTest): Test {
  if ('exact' in test) return anyHost([test.exact])
  if ('in' in test) return anyHost(test.in)
  // Browsers send `xn--` names; a pattern may be written for the name that people read.
  const check = compileTextTest(test)
  return value => check(value) || (value?.includes('xn--') === true && check(domainToUnicode(value)))
}

/** What is wrong with a host of a document; `undefined` when it is valid. */
export function hostProblem(host: string): string | undefined {
  const ascii = asciiHost(host)
  if (ascii === undefined || ascii === '' || /[\s/?#@\\]/.test(ascii)) return 'is no host name'
  const end = ascii.startsWith('[') ? ascii.indexOf(']') + 1 : ascii.indexOf(':')
  return end === -1 || end === ascii.length ? undefined : 'has no port, because hosts are compared without'
}

/** A host of a document in the spelling of requests. */
export function canonicalHost(host: string): string {
  return wireHost(asciiHost(host) ?? host)
}

export function isWildcard(host: string): boolean {
  return host.startsWith('*.')
}

function anyHost(hosts: readonly string[]): Test {
  const lower = hosts.map(canonicalHost)
  const exact = new Set(lower.filter(host => !isWildcard(host)))
  const suffixes = lower.filter(isWildcard).map(host => host.slice(1))
  return value => {
    if (value === undefined) return false
    if (exact.has(value)) return true
    for (const suffix of suffixes) if (value.length > suffix.length && value.endsWith(suffix)) return true
    return false
  }
}
