import { findCarriers } from '../wire/carriers.js'
import type { IngressRequest } from './request.js'

/** Of several header names, the first that a request has; the first of all when it has none. */
export function presentName(request: IngressRequest, names: readonly [string, ...string[]]): string {
  for (const name of names) if (findCarriers(request, name).view.headers[name] !== undefined) return name
  return names[0]
}
