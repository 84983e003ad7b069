import type { KubeObject } from '../cluster/kube-object.js'
import type { Store } from '../cluster/store.js'

/** Who the entrance colours: nobody, who matches, or a share of everybody. */
export type Colouring = 'nobody' | 'matches' | 'share'

/** Rules for the entrance, as a document of `@laneway/rules`. */
export interface EntranceRules {
  readonly colouring: Colouring
  readonly document: object
}

const NOTHING: EntranceRules = { colouring: 'nobody', document: { version: 1, rules: [] } }

/**
 * What an entrance makes of the routes of the moment: a Gateway reads its HTTPRoute, MSE the canary Ingress, and the
 * Laneway gateway the TrafficRouting itself, as long as it is in progress.
 */
export function entranceRules(store: Store): EntranceRules {
  for (const routing of store.list('TrafficRouting')) {
    const target = routing.spec.objectRef[0]
    if (target.ingress !== undefined) return ofIngress(store.get('Ingress', `${target.ingress.name}-canary`))
    const route = store.get('HTTPRoute', target.customNetworkRefs[0].name)
    if (route?.spec.parentRefs !== undefined) return ofRoute(route)
    if (routing.status?.phase === 'Progressing') return ofTrafficRouting(routing)
  }
  return NOTHING
}

function ofTrafficRouting({ apiVersion, kind, metadata, spec }: KubeObject): EntranceRules {
  const { matches, weight, requestHeaderModifier } = spec.strategy
  const { name, namespace = 'default' } = metadata
  if (matches?.length > 0)
    return { colouring: 'matches', document: { apiVersion, kind, metadata: { name, namespace }, spec } }
  // As the gateway's configuration has it: the same user stays in the same lane.
  const key = [{ header: 'x-user-id' }, { cookie: 'uid' }]
  return share(`${namespace}/${name}`, weight, requestHeaderModifier?.set?.[0]?.value, key)
}

function ofRoute(route: KubeObject): EntranceRules {
  const { apiVersion, kind, metadata, spec } = route
  for (const { backendRefs = [] } of spec.rules) {
    const gray = backendRefs.find((one: any) => one.filters?.length > 0)
    const tag = gray?.filters[0].requestHeaderModifier?.set?.[0]?.value
    if (tag !== undefined) return share(metadata.name, gray.weight, tag, 'random')
  }
  const tags = JSON.stringify(spec.rules).includes('"set"')
  const document = { apiVersion, kind, metadata: { name: metadata.name }, spec }
  return tags ? { colouring: 'matches', document } : NOTHING
}

function ofIngress(canary: KubeObject | undefined): EntranceRules {
  const annotation = (name: string) => canary?.metadata.annotations?.[name]
  const tag = annotation('mse.ingress.kubernetes.io/request-header-control-update')?.split(' ')[1]
  if (tag === undefined) return NOTHING
  const name = annotation('nginx.ingress.kubernetes.io/canary-by-header')
  if (name === undefined) {
    const weight = Number(annotation('nginx.ingress.kubernetes.io/canary-weight'))
    return share(canary!.metadata.name, weight, tag, 'random')
  }
  const exact = annotation('nginx.ingress.kubernetes.io/canary-by-header-value')
  const regex = annotation('nginx.ingress.kubernetes.io/canary-by-header-pattern')
  const header = exact === undefined ? { name: name.toLowerCase(), regex } : { name: name.toLowerCase(), exact }
  const rule = { name: canary!.metadata.name, when: { header }, lane: tag }
  return { colouring: 'matches', document: { version: 1, rules: [rule] } }
}

function share(salt: string, percent: number | undefined, lane: string | undefined, key: unknown): EntranceRules {
  if (percent === undefined || lane === undefined) return NOTHING
  const split = { salt, key, lanes: [{ lane, from: 0, to: 10_000, percent }] }
  return { colouring: 'share', document: { version: 1, rules: [{ name: 'share', split }] } }
}
