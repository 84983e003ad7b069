import type { OptionPath } from '@laneway/core'
import {
  assertKnownKeys,
  describe,
  milliseconds,
  type Option,
  OptionPlace,
  type OptionTable,
  oneOf,
  readOptions,
  text,
} from '@laneway/core/internal'
import type { HttpRoute, RouteMatch, ValueMatch } from '@laneway/rules'

/** What a path must be: exactly this, this prefix by segments, or a match of a pattern in RE2 syntax. */
export interface PathTest {
  readonly exact?: string
  readonly prefix?: string
  readonly regex?: string
}

/** One route in the short form. The precedence of Gateway API orders several routes, not their place in the list. */
export interface GatewayRoute {
  /** Name in the log and in metrics. @default host and path */
  readonly name?: string
  /** A name, or `*.example.com` for one or more labels in front. @default every host */
  readonly host?: string
  /** @default every path */
  readonly path?: PathTest
  readonly method?: string
  /** Values that headers must have, by name. */
  readonly headers?: Readonly<Record<string, string>>
  /** Values that query parameters must have, by name. */
  readonly query?: Readonly<Record<string, string>>
  /** The service as the resolver knows it. */
  readonly service: string
  /** @default 'http' */
  readonly scheme?: 'http' | 'https'
  /** Time until the answer begins. @default `upstream.headersTimeoutMs` */
  readonly timeoutMs?: number
}

const testText: Option<string> = (value, place) => {
  if (typeof value !== 'string') throw place.unexpected('a text', value)
  return value
}

const path: Option<RouteMatch['path']> = (value, place) => {
  if (value === undefined) return undefined
  assertKnownKeys(place, value as object, Object.keys(PATH_TYPES))
  const [entry, second] = Object.entries(value as PathTest)
  if (entry === undefined || second !== undefined) throw place.unexpected('one of exact, prefix, regex', value)
  const [kind, pattern] = entry
  return { type: PATH_TYPES[kind as keyof PathTest], value: testText(pattern, place.at(kind)) }
}

const PATH_TYPES = { exact: 'Exact', prefix: 'PathPrefix', regex: 'RegularExpression' } as const

const values: Option<ValueMatch[] | undefined> = (given, place) => {
  if (given === undefined) return undefined
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw place.invalid(`maps names to values, received ${describe(given)}`)
  }
  return Object.entries(given).map(([name, value]) => ({ name, value: testText(value, place.at(name)) }))
}

const service: Option<string> = (value, place) => {
  if (typeof value === 'string' && value !== '') return value
  throw place.unexpected('the name of a service', value)
}

const ROUTE = {
  name: text(undefined),
  host: text(undefined),
  path,
  method: text(undefined),
  headers: values,
  query: values,
  service,
  scheme: oneOf(['http', 'https'], 'http'),
  timeoutMs: milliseconds(undefined, 1),
} satisfies OptionTable<GatewayRoute>

/** The names of a route's options. */
export const ROUTE_KEYS: readonly string[] = Object.keys(ROUTE)

/** A short route as the manifest that says the same, so that there is one matcher and one precedence. */
export interface ShortRoute {
  readonly manifest: HttpRoute
  readonly name: string
  readonly scheme: 'http' | 'https'
  readonly timeoutMs: number | undefined
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function routeAsManifest(route: GatewayRoute, index: number): ShortRoute {
  const place = new OptionPlace('', ['routes', index])
  const { name, host, path, method, headers, query, service, scheme, timeoutMs } = readOptions(place, route, ROUTE)
  const match: RouteMatch = {
    ...(path !== undefined && { path }),
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers }),
    ...(query !== undefined && { queryParams: query }),
  }
  return {
    name: name ?? `${host ?? ''}${path?.value ?? '/'}`,
    scheme,
    timeoutMs,
    manifest: {
      kind: 'HTTPRoute',
      // Of equal routes, the first in the list comes first.
      metadata: { name: String(index).padStart(6, '0') },
      spec: {
        ...(host !== undefined && { hostnames: [host] }),
        rules: [{ matches: [match], backendRefs: [{ name: service }] }],
      },
    },
  }
}

/**
 * The place in a short route that a place in its manifest stands for.
 *
 * @param inManifest - keys from the root of the manifest
 */
export function pathInShortRoute(inManifest: OptionPath): OptionPath {
  const [, list] = inManifest
  if (list === 'hostnames') return ['host']
  // spec.rules[0].matches[0]
  const [key, ...rest] = inManifest.slice(5)
  if (key === 'path') return ['path']
  if (key === 'queryParams') return ['query', ...rest]
  return key === undefined ? [] : [key, ...rest]
}
