import type { Clock } from '../src/cluster/clock.js'
import type { PodRunner } from '../src/cluster/kubelet.js'

/** Pods that are ready 0.3 s after their start and gone 0.5 s after their end, as where the recordings were made. */
export function fakePods(clock: Clock): PodRunner {
  const wait = (ms: number) => new Promise<void>(resolve => clock.after(ms, resolve))
  let count = 0
  return {
    async start() {
      await wait(300)
      return `10.0.0.${++count}:8080`
    },
    stop: () => wait(500),
  }
}
