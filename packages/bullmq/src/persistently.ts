import { setTimeout as sleep } from 'node:timers/promises'

const ATTEMPTS = 8
const FIRST_DELAY_MS = 50

/**
 * Asks Redis again when it answers with an error, for about six seconds: a job must not fail, and use up an attempt,
 * because Redis was loading its data when Laneway asked for the lanes.
 *
 * @throws the last error
 */
export async function persistently<R>(ask: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await sleep(FIRST_DELAY_MS * 2 ** (attempt - 1))
    }
  }
}
