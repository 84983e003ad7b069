import type { Clock } from './clock.js'
import type { KubeObject } from './kube-object.js'
import type { Store } from './store.js'

/** Runs what a pod stands for. */
export interface PodRunner {
  /** Starts it. @returns its address once it is ready */
  start(pod: KubeObject): Promise<string>
  /** Ends it, with SIGTERM first, also when it has not been ready yet. */
  stop(pod: KubeObject): Promise<void>
}

/** Starts pods that appear and ends those that are deleted. */
export function addKubelet(store: Store, clock: Clock, runner: PodRunner, onError: (error: Error) => void): void {
  store.watch(({ kind, name, before, after }) => {
    if (kind !== 'Pod' || after === undefined) return
    if (before === undefined) {
      runner.start(after).then(
        address =>
          store.update('Pod', name, draft => {
            draft.status = { ready: true, readyAt: clock.now(), podIP: address }
          }),
        error => onError(error),
      )
    } else if (before.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined) {
      runner.stop(after).then(
        () => store.remove('Pod', name),
        error => onError(error),
      )
    }
  })
}
