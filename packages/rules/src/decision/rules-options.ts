import {
  callback,
  type Option,
  type OptionTable,
  type OptionValues,
  readOptions,
  resolveHeaderName,
  text,
} from '@laneway/core/internal'
import type { ClientAddress } from '../condition/condition.js'
import { canonicalAddress, peerAddress } from '../condition/request.js'
import { checkKey } from '../document/check-document.js'
import type { KeySource } from '../document/document.js'
import { Problems } from '../document/problems.js'

/** Options of {@link compileRules} and everything that calls it. */
export interface RulesOptions {
  /** The name of the document in messages. @default 'rules' */
  source?: string
  /**
   * The header that carries the lane: what the `requestHeaderModifier` of a manifest sets it to is the lane.
   * @default 'x-mse-tag', what MSE and OpenKruise Rollouts use
   */
  header?: string
  /**
   * Where the key for the `weight` of a TrafficRouting is read, as in `split.key`. `random` draws every request, as the
   * gateways that OpenKruise configures do.
   * @default none: a weight is refused, because callers should rarely change lanes between two requests
   */
  weightKey?: readonly KeySource[] | 'random'
  /**
   * Reads the client's IP address; see {@link forwardedAddress}. When it throws, the request has no address.
   * @default the peer of the socket, because headers can be believed only when the number of proxies is known
   */
  clientAddress?: (request: any) => string | undefined
  /** 0 <= n < 1, for `key: random`. @default Math.random */
  random?: () => number
}

const weightKey: Option<readonly KeySource[] | 'random' | undefined> = (value, place) => {
  if (value === undefined || value === 'random') return value
  const problems = new Problems()
  checkKey(value, place.path, problems)
  problems.throwIfAny(place.where, 'LANEWAY_INVALID_OPTION')
  return structuredClone(value) as readonly KeySource[]
}

const clientAddress: Option<ClientAddress> = (value, place) => {
  const read = callback<(request: any) => string | undefined>()(value, place)
  return read === undefined ? peerAddress : safely(read)
}

/** How the options are read. */
export const RULES_OPTIONS = {
  source: text('rules'),
  header: ((value, place) => resolveHeaderName(place.where, value as string | undefined)) satisfies Option<string>,
  weightKey,
  clientAddress,
  random: callback<() => number, () => number>(Math.random),
} satisfies OptionTable<RulesOptions>

/** {@link RulesOptions} with every default. */
export type ResolvedRulesOptions = OptionValues<typeof RULES_OPTIONS>

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function resolveRulesOptions(input: RulesOptions = {}, where = 'compileRules'): ResolvedRulesOptions {
  return readOptions(where, input, RULES_OPTIONS)
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
