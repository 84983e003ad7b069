import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until a condition holds; fails when it does not within two minutes. */
export async function until(condition, withinMs = 120_000) {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${condition}`)
    await sleep(20)
  }
}
