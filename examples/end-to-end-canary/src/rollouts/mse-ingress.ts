import type { Store } from '../cluster/store.js'
import type { RouteStrategy } from './rollout-spec.js'
import type { Route } from './route.js'

const NGINX = 'nginx.ingress.kubernetes.io'
const MSE = 'mse.ingress.kubernetes.io'

/**
 * The class `mse`: a copy of the Ingress with the canary's annotations. It appears with weight 0, and gets its condition
 * at the next look; of several headers or matches the last one counts.
 */
export function createMseIngress(store: Store, name: string): Route {
  const copy = `${name}-canary`
  return {
    write(strategy) {
      const ingress = store.get('Ingress', name)
      if (ingress === undefined) return false
      if (store.get('Ingress', copy) === undefined) {
        const subset = ingress.metadata.annotations?.[`${MSE}/service-subset`] === undefined ? {} : subsetOf(strategy)
        const annotations = { ...ingress.metadata.annotations, ...subset, [`${NGINX}/canary`]: 'true' }
        store.create({
          ...structuredClone(ingress),
          metadata: { name: copy, annotations: { ...annotations, [`${NGINX}/canary-weight`]: '0' } },
        })
        return false
      }
      store.update('Ingress', copy, draft => {
        const { annotations = {} } = draft.metadata
        for (const condition of [
          'canary-weight',
          'canary-by-header',
          'canary-by-header-value',
          'canary-by-header-pattern',
        ])
          delete annotations[`${NGINX}/${condition}`]
        Object.assign(annotations, conditionOf(strategy), headerOf(strategy))
      })
      return true
    },
    restore() {
      store.remove('Ingress', copy)
    },
  }
}

function subsetOf({ requestHeaderModifier }: RouteStrategy): Record<string, string> {
  return { [`${MSE}/service-subset`]: requestHeaderModifier?.set?.[0]?.value ?? '' }
}

function conditionOf({ matches, weight }: RouteStrategy): Record<string, string> {
  const header = matches?.at(-1)?.headers?.[0]
  if (header === undefined) return { [`${NGINX}/canary-weight`]: String(weight ?? 0) }
  const value = header.type === 'RegularExpression' ? 'canary-by-header-pattern' : 'canary-by-header-value'
  return { [`${NGINX}/canary-by-header`]: header.name, [`${NGINX}/${value}`]: header.value }
}

function headerOf({ requestHeaderModifier }: RouteStrategy): Record<string, string> {
  const { name, value } = requestHeaderModifier?.set?.[0] ?? {}
  return name === undefined ? {} : { [`${MSE}/request-header-control-update`]: `${name} ${value}` }
}
