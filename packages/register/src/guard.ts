/** Tells of the first fault of each hook, and keeps all of them from the application. */
export interface Guard {
  /**
   * A hook's own work on one object: when it throws, that object goes without Laneway. The hook stays, because the next
   * object may be as every other one is.
   */
  attempt<T>(hook: string, work: () => T): T | undefined
  /** Notes a fault that a hook has met elsewhere. */
  fault(hook: string, error: unknown): void
  /** Hooks that have had a fault, with the first one. */
  readonly faults: ReadonlyMap<string, unknown>
}

export function createGuard(warn: (message: string) => void): Guard {
  const faults = new Map<string, unknown>()
  const fault = (hook: string, error: unknown) => {
    if (faults.has(hook)) return
    faults.set(hook, error)
    warn(`${hook} had a fault; requests go on without it: ${textOf(error)}`)
  }
  return {
    faults,
    fault,
    attempt(hook, work) {
      try {
        return work()
      } catch (error) {
        fault(hook, error)
        return undefined
      }
    },
  }
}

/** What is thrown may be anything, an object that has no text included. */
function textOf(error: unknown): string {
  try {
    return String((error as Error)?.stack ?? error)
  } catch {
    return 'an error that cannot be shown'
  }
}
