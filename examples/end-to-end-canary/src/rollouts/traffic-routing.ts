import type { Controllers } from '../cluster/controllers.js'
import type { ControllerContext } from './controller-context.js'
import { ROUTING_FINALIZER } from './names.js'
import { createRoute } from './route.js'

/** Between two looks at routes, and how long the end of them takes. */
const LOOK_MS = 3000

/** The TrafficRouting controller: writes routes while some Rollout holds them, and restores them after the last. */
export function addTrafficRoutingController(controllers: Controllers, { store, clock }: ControllerContext): void {
  const since = new Map<string, number>()

  function reconcile(name: string): number | undefined {
    const routing = store.get('TrafficRouting', name)
    if (routing === undefined) return undefined
    const { finalizers = [], deletionTimestamp } = routing.metadata
    const held = finalizers.some(one => one.startsWith('progressing.'))
    const enter = (phase: string) => {
      store.update('TrafficRouting', name, draft => {
        draft.status = { observedGeneration: draft.metadata.generation, phase, message: `TrafficRouting is ${phase}` }
      })
    }
    const route = createRoute(store, routing.spec.objectRef[0])
    if (deletionTimestamp !== undefined) {
      route.restore()
      store.remove('TrafficRouting', name)
      return undefined
    }
    if (!finalizers.includes(ROUTING_FINALIZER)) {
      store.update('TrafficRouting', name, draft => {
        draft.metadata.finalizers = [ROUTING_FINALIZER, ...finalizers]
      })
      return undefined
    }
    switch (routing.status?.phase) {
      case 'Healthy':
        if (held) enter('Progressing')
        return undefined
      case 'Progressing':
        if (held) return route.write(routing.spec.strategy) ? undefined : LOOK_MS
        since.set(name, clock.now())
        enter('Finalizing')
        return undefined
      case 'Finalizing': {
        route.restore()
        const grace = (routing.spec.objectRef[0].gracePeriodSeconds ?? 3) * 1000
        const missing = (since.get(name) ?? 0) + grace - clock.now()
        if (missing > 0) return missing
        enter('Healthy')
        return undefined
      }
      default:
        enter('Healthy')
        return undefined
    }
  }

  controllers.add(reconcile, ({ kind, name }) => (kind === 'TrafficRouting' ? [name] : []))
}
