import { assertKnownKeys, DEFAULT_HEADER, describe, LanewayError, resolveHeaderName } from '@laneway/core'
import type { ClientAddress } from '../condition/condition.js'
import { canonicalAddress, peerAddress } from '../condition/request.js'
import { checkKey } from '../document/check-document.js'
import type { KeySource } from '../document/document.js'
import { Problems } from '../document/problems.js'

/** Options of {@link compileRules} and everything that calls it. */
export interface RulesOptions {
  /** What messages call the document. @default 'rules' */
  source?: string
  /**
   * The header whose value a manifest's `requestHeaderModifier` makes the lane.
   * @default 'x-mse-tag', what MSE and OpenKruise Rollouts use
   */
  header?: string
  /**
   * Where the key of a TrafficRouting's `weight` is read, as in `split.key`; `random` draws every request, as the
   * gateways that OpenKruise drives do.
   * @default none: a weight is refused, because a caller that changes lanes between two requests is rarely meant
   */
  weightKey?: readonly KeySource[] | 'random'
  /**
   * The client's IP address; see {@link forwardedAddress}. One that throws knows none.
   * @default the socket's peer, because no header can be believed without knowing the proxies
   */
  clientAddress?: (request: any) => string | undefined
  /** 0 <= n < 1, for `key: random`. @default Math.random */
  random?: () => number
}

/** Every option with its value. */
export interface ResolvedRulesOptions {
  readonly source: string
  readonly header: string
  readonly weightKey: readonly KeySource[] | 'random' | undefined
  readonly clientAddress: ClientAddress
  readonly random: () => number
}

/** The names of the options. */
export const RULES_OPTIONS = ['source', 'header', 'weightKey', 'clientAddress', 'random']

/**
 * Fills in the defaults.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function resolveRulesOptions(input: RulesOptions = {}, where = 'compileRules'): ResolvedRulesOptions {
  assertKnownKeys(where, input, RULES_OPTIONS)
  const { weightKey, clientAddress, random } = input
  for (const [name, option] of [['clientAddress', clientAddress] as const, ['random', random] as const]) {
    if (option !== undefined && typeof option !== 'function') {
      throw new LanewayError('LANEWAY_INVALID_OPTION', `${where}: ${name} is a function, received ${describe(option)}`)
    }
  }
  if (weightKey !== undefined) {
    const problems = new Problems()
    checkKey(weightKey, ['weightKey'], problems)
    problems.throwIfAny(where, 'LANEWAY_INVALID_OPTION')
  }
  return Object.freeze({
    source: input.source ?? 'rules',
    header: resolveHeaderName(where, input.header ?? DEFAULT_HEADER),
    weightKey: weightKey === undefined || weightKey === 'random' ? weightKey : structuredClone(weightKey),
    clientAddress: clientAddress === undefined ? peerAddress : safely(clientAddress),
    random: random ?? Math.random,
  })
}

function safely(read: (request: any) => string | undefined): ClientAddress {
  return request => {
    try {
      const address: unknown = read(request)
      return typeof address === 'string' ? canonicalAddress(address) : undefined
    } catch {
      return undefined
    }
  }
}
