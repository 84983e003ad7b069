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

const RESTART_MS = 5000

/** Starts pods that appear and ends those that are deleted. */
export function addKubelet(store: Store, clock: Clock, runner: PodRunner, onError: (error: Error) => void): void {
  store.watch(({ kind, name, before, after }) => {
    if (kind !== 'Pod' || after === undefined) return
    if (before === undefined) {
      runner.start(after).then(
        address =>
          store.update('Pod', name, draft => {
            draft.status = { ready: true, readyAt: inWholeSeconds(clock.now()), podIP: address }
          }),
        error => {
          onError(error)
          // Another one takes its place.
          clock.after(RESTART_MS, () => store.remove('Pod', name))
        },
      )
    } else if (before.metadata.deletionTimestamp === undefined && after.metadata.deletionTimestamp !== undefined) {
      runner.stop(after).then(
        () => store.remove('Pod', name),
        error => onError(error),
      )
    }
  })
}

/** Conditions have whole seconds, so that minReadySeconds are up to one second shorter. */
function inWholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
