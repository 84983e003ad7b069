import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'

/**
 * Starts something, again until it succeeds.
 *
 * @param failed - told of each failure
 * @throws what the last start threw, once the signal is aborted
 */
export async function startPersistently(
  start: () => Promise<void>,
  failed: (error: Error) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await start()
    } catch (error) {
      if (signal.aborted) return
      failed(error as Error)
      await sleep(backoffMs(failures, 100, 5000), undefined, { signal }).catch(() => {})
    }
  }
}
