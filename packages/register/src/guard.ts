/** Tells of each fault of ours once, and lets the hook that had it step aside. */
export interface Guard {
  /** A hook's own work: when it throws, the fault is reported once and the hook is off for good. */
  attempt<T>(hook: string, work: () => T): T | undefined
  /** Notes a fault that a hook has met elsewhere. */
  fault(hook: string, error: unknown): void
  /** Hooks that have stepped aside, with the reason. */
  readonly faults: ReadonlyMap<string, unknown>
}

export function createGuard(warn: (message: string) => void): Guard {
  const faults = new Map<string, unknown>()
  const fault = (hook: string, error: unknown) => {
    if (faults.has(hook)) return
    faults.set(hook, error)
    warn(`${hook} had a fault; requests go on without it: ${(error as Error)?.stack ?? error}`)
  }
  return {
    faults,
    fault,
    attempt(hook, work) {
      if (faults.has(hook)) return undefined
      try {
        return work()
      } catch (error) {
        fault(hook, error)
        return undefined
      }
    },
  }
}
