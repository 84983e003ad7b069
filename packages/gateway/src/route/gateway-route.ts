import { assertKnownKeys, assertOneOf, describe, LanewayError } from '@laneway/core'
import type { HttpRoute, RouteMatch, ValueMatch } from '@laneway/rules'

/** A text to match: all of it, its beginning by segments, or a pattern in RE2 syntax. */
export interface PathTest {
  readonly exact?: string
  readonly prefix?: string
  readonly regex?: string
}

/** One route in the short form. Which of several takes a request is decided as in Gateway API, not by their order. */
export interface GatewayRoute {
  /** For log and metrics. @default host and path */
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
  /** Until the answer begins. @default `upstream.headersTimeoutMs` */
  readonly timeoutMs?: number
}

export const ROUTE_KEYS: readonly (keyof GatewayRoute)[] = [
  'name',
  'host',
  'path',
  'method',
  'headers',
  'query',
  'service',
  'scheme',
  'timeoutMs',
]

/** A short route as the manifest that says the same, so that there is one matcher and one precedence. */
export interface ShortRoute {
  readonly manifest: HttpRoute
  readonly name: string
  readonly scheme: 'http' | 'https'
  readonly timeoutMs: number | undefined
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function routeAsManifest(route: GatewayRoute, index: number): ShortRoute {
  const where = `routes[${index}]`
  assertKnownKeys(where, route, ROUTE_KEYS)
  const { name, host, method, headers, query, service, scheme = 'http', timeoutMs } = route
  const texts: readonly (readonly [string, unknown])[] = [
    ['name', name],
    ['host', host],
    ['method', method],
  ]
  for (const [key, value] of texts) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) throw invalid(where, key, 'a text', value)
  }
  if (typeof service !== 'string' || service === '') throw invalid(where, 'service', 'the name of a service', service)
  assertOneOf(`${where}.scheme`, scheme, ['http', 'https'])
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs < 2 ** 31)) {
    throw invalid(where, 'timeoutMs', 'a number of milliseconds from 1', timeoutMs)
  }
  const path = pathOf(route.path, where)
  const match: RouteMatch = {
    ...(path !== undefined && { path }),
    ...(method !== undefined && { method }),
    ...(headers !== undefined && { headers: valuesOf(headers, `${where}.headers`) }),
    ...(query !== undefined && { queryParams: valuesOf(query, `${where}.query`) }),
  }
  return {
    name: name ?? `${host ?? ''}${path?.value ?? '/'}`,
    scheme,
    timeoutMs,
    manifest: {
      kind: 'HTTPRoute',
      // Later ones of equal routes come second, as in a list.
      metadata: { name: String(index).padStart(6, '0') },
      spec: {
        ...(host !== undefined && { hostnames: [host] }),
        rules: [{ matches: [match], backendRefs: [{ name: service }] }],
      },
    },
  }
}

function pathOf(path: PathTest | undefined, where: string): RouteMatch['path'] {
  if (path === undefined) return undefined
  assertKnownKeys(`${where}.path`, path, ['exact', 'prefix', 'regex'])
  const [entry, second] = Object.entries(path)
  if (entry === undefined || second !== undefined) {
    throw invalid(where, 'path', 'one of exact, prefix, regex', path)
  }
  const [kind, value] = entry
  if (typeof value !== 'string') throw invalid(`${where}.path`, kind, 'a text', value)
  return { type: kind === 'exact' ? 'Exact' : kind === 'prefix' ? 'PathPrefix' : 'RegularExpression', value }
}

function valuesOf(values: Readonly<Record<string, string>>, where: string): ValueMatch[] {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${where} maps names to values, received ${describe(values)}`)
  }
  return Object.entries(values).map(([name, value]) => {
    if (typeof value !== 'string') throw invalid(where, name, 'a text', value)
    return { name, value }
  })
}

function invalid(where: string, key: string, wanted: string, value: unknown): LanewayError {
  return new LanewayError('LANEWAY_INVALID_OPTION', `${where}.${key} is ${wanted}, received ${describe(value)}`)
}
