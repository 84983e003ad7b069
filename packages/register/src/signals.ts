/** The signals with which an orchestrator ends a process. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Leaves the registry when the process is told to end, before the app's own listeners run.
 *
 * With no listener of the app the signal would have ended the process: it does so after `end`, by the same signal. With
 * one, the app decides about the end; leaving has begun in the same tick. The listener is gone once it has run, so a second
 * signal does what it would do without Laneway, and libraries that count listeners (`signal-exit`) count right.
 *
 * @param leave - starts leaving synchronously
 * @param end - resolves when the process may end
 */
export function hookSignals(leave: () => void, end: () => Promise<void>): void {
  for (const signal of SIGNALS) {
    const onSignal = () => {
      for (const other of SIGNALS) process.removeListener(other, listeners[other])
      leave()
      if (process.listenerCount(signal) === 0) void end().finally(() => process.kill(process.pid, signal))
    }
    listeners[signal] = onSignal
    process.prependListener(signal, onSignal)
  }
}

const listeners = {} as Record<NodeJS.Signals, () => void>
