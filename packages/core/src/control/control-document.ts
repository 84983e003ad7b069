import { assertHosts } from '../egress/egress-scope.js'
import { LanewayError } from '../errors.js'
import { describe } from '../options/describe.js'
import { flag, unchecked } from '../options/option.js'
import { formatPath } from '../options/option-place.js'
import { readOptions } from '../options/read-options.js'

/** What a control document may hold besides `enabled` and `propagateTo`: what `resolver.update` takes. */
export const RESOLVER_SETTINGS = [
  'services',
  'whenLaneMissing',
  'whenLaneUnavailable',
  'policies',
  'balancer',
  'baseEmpty',
  'zone',
  'outlier',
  'panicThreshold',
  'slowStartMs',
  'slowStartAggression',
  'slowStartMinShare',
  'maxInFlight',
  'subsetSize',
] as const

/** A control document that was read. */
export interface ControlDocument {
  /** @default true */
  readonly enabled: boolean
  /** `undefined`: each adapter has its own. */
  readonly propagateTo: readonly string[] | undefined
  /** For the resolver, which checks them. */
  readonly resolver: Readonly<Record<string, unknown>>
}

/** What holds before the first document. */
export const NO_DOCUMENT: ControlDocument = Object.freeze({
  enabled: true,
  propagateTo: undefined,
  resolver: Object.freeze({}),
})

const TABLE = {
  enabled: flag(true),
  propagateTo: unchecked<readonly string[] | undefined>(),
  ...Object.fromEntries(RESOLVER_SETTINGS.map(name => [name, unchecked<unknown>()])),
} as const

/**
 * Reads a control document: a JSON object.
 *
 * @param source - for messages
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function parseControl(text: unknown, source: string): ControlDocument {
  const { enabled, propagateTo, ...given } = readOptions(source, objectOf(text, source), TABLE) as {
    enabled: boolean
    propagateTo: readonly string[] | undefined
  }
  if (propagateTo !== undefined) assertHosts(source, propagateTo)
  const resolver = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return Object.freeze({
    enabled,
    propagateTo: propagateTo && Object.freeze([...propagateTo]),
    resolver: Object.freeze(resolver),
  })
}

function objectOf(text: unknown, source: string): object {
  let value: unknown
  try {
    value = typeof text === 'string' ? JSON.parse(text) : undefined
  } catch (cause) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${source} is no JSON: ${(cause as Error).message}`, { cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  const received = typeof text === 'string' ? value : text
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${source} is a JSON object such as {"enabled": true}, received ${describe(received)}; {} goes back to the start settings`,
  )
}

/** An error of the resolver's update in the words of the document. */
export function inWordsOf(source: string, error: unknown): Error {
  const { problem, path } = Object(error) as Partial<LanewayError>
  if (problem === undefined || path === undefined) return error instanceof Error ? error : new Error(String(error))
  const name = formatPath(path)
  return new LanewayError('LANEWAY_INVALID_OPTION', `${source}: ${name === '' ? '' : `${name} `}${problem}`, {
    cause: error,
    problem,
    path,
  })
}
