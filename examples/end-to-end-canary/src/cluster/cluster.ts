import { addBatchReleaseController } from '../rollouts/batch-release.js'
import { addRolloutController } from '../rollouts/rollout-controller.js'
import { addTrafficRoutingController } from '../rollouts/traffic-routing.js'
import type { Clock } from './clock.js'
import { Controllers } from './controllers.js'
import { addDeploymentController } from './deployment-controller.js'
import { Journal } from './journal.js'
import { addKubelet, type PodRunner } from './kubelet.js'
import { addReplicaSetController } from './replica-set-controller.js'
import { Store } from './store.js'

/** The objects, the controllers that move them, and the log of it all. */
export interface Cluster {
  readonly store: Store
  readonly journal: Journal
  readonly clock: Clock
  /** Ends the controllers; what runs, runs on. */
  stop(): void
}

/** A cluster of one namespace: Deployments as in Kubernetes, Rollouts and TrafficRoutings as in OpenKruise v0.6.2. */
export function createCluster(clock: Clock, runner: PodRunner, onError: (error: Error) => void): Cluster {
  const store = new Store(clock)
  const journal = new Journal(store, clock)
  const controllers = new Controllers(store, clock)
  const context = { store, clock, journal }
  addDeploymentController(controllers, store, clock)
  addReplicaSetController(controllers, store)
  addKubelet(store, clock, runner, onError)
  addRolloutController(controllers, context)
  addBatchReleaseController(controllers, context)
  addTrafficRoutingController(controllers, context)
  return { store, journal, clock, stop: () => controllers.stop() }
}
