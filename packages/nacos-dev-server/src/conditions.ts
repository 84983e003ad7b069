import { DevServerError } from './error.js'

/** Lets tests wait for a state instead of for a time. */
export class Conditions {
  readonly #waiting = new Set<() => void>()

  /** Looks at every condition that is waited for. */
  changed(): void {
    for (const look of [...this.#waiting]) look()
  }

  /** Resolves as soon as `check` holds; `text` is what the error says did not. */
  until(check: () => boolean, timeoutMs: number, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
      }
      const look = (): void => {
        try {
          if (!check()) return
          finish()
          resolve()
        } catch (error) {
          finish()
          reject(error)
        }
      }
      const timer = setTimeout(() => {
        finish()
        const message = `the condition did not hold within ${timeoutMs} ms: ${text}`
        reject(new DevServerError('LANEWAY_DEV_SERVER_TIMEOUT', message))
      }, timeoutMs)
      this.#waiting.add(look)
      look()
    })
  }
}
