import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'

/**
 * Attempts something until it succeeds, ever less often.
 *
 * @param failed - told of each failure
 * @throws the last error, once the signal is aborted
 */
export async function persistently<R>(
  attempt: () => Promise<R>,
  failed: (error: Error) => void,
  signal: AbortSignal,
): Promise<R> {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (signal.aborted) throw error
      failed(error as Error)
      await sleep(backoffMs(failures, 50, 2000), undefined, { signal }).catch(() => {})
    }
  }
}
