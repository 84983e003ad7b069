import { BlockList, isIP, isIPv6 } from 'node:net'
import type { AddressTest } from '../document/document.js'
import type { Test } from './text-test.js'

/** Compiles a checked test of an IP address. */
export function compileAddressTest(test: AddressTest): Test {
  if ('exists' in test) {
    const { exists } = test
    return value => (value !== undefined && isIP(value) !== 0) === exists
  }
  const list = new BlockList()
  if ('range' in test) list.addRange(test.range.min, test.range.max, family(test.range.min))
  else for (const entry of 'in' in test ? test.in : [test.exact]) addBlock(list, entry)
  return value => {
    if (value === undefined) return false
    const version = isIP(value)
    return version !== 0 && list.check(value, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** What is wrong with an address or CIDR block; `undefined` when it is valid. */
export function blockProblem(entry: string): string | undefined {
  const slash = entry.indexOf('/')
  if (slash === -1) return isIP(entry) === 0 ? 'is no IP address' : undefined
  const version = isIP(entry.slice(0, slash))
  const bits = entry.slice(slash + 1)
  if (version === 0 || !/^[0-9]{1,3}$/.test(bits) || Number(bits) > (version === 6 ? 128 : 32)) {
    return 'is no CIDR block'
  }
  return undefined
}

/** What is wrong with a range of addresses. */
export function addressRangeProblem(min: string, max: string): string | undefined {
  if (isIP(min) === 0 || isIP(max) === 0) return 'takes two IP addresses'
  if (isIP(min) !== isIP(max)) return 'takes two addresses of one family'
  try {
    new BlockList().addRange(min, max, family(min))
    return undefined
  } catch {
    return 'ends before it begins'
  }
}

function addBlock(list: BlockList, entry: string): void {
  const slash = entry.indexOf('/')
  if (slash === -1) list.addAddress(entry, family(entry))
  else list.addSubnet(entry.slice(0, slash), Number(entry.slice(slash + 1)), family(entry.slice(0, slash)))
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
