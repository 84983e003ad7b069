import type { Store } from '../cluster/store.js'
import { createHttpRoute } from './http-route.js'
import { createMseIngress } from './mse-ingress.js'
import type { RouteStrategy, RouteTarget } from './rollout-spec.js'

/** Where a strategy becomes routes. */
export interface Route {
  /** Writes them. @returns whether that is all; else it goes on at the next look */
  write(strategy: RouteStrategy): boolean
  /** Puts everything back as it was. */
  restore(): void
}

/** @throws Error for a provider that is not played */
export function createRoute(store: Store, target: RouteTarget): Route {
  const { ingress, customNetworkRefs } = target
  if (ingress?.classType === 'mse') return createMseIngress(store, ingress.name)
  const ref = customNetworkRefs?.[0]
  if (ref?.kind === 'HTTPRoute') return createHttpRoute(store, ref.name, target.service)
  throw new Error(`routes through ${Object.keys(target).join(', ')} are not played: mse Ingress and HTTPRoute are`)
}
