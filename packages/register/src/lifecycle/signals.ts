/** The signals with which an orchestrator ends a process. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Leaves the registry when the process is told to end, before the app's own listeners run.
 *
 * With no listener of the app the signal would have ended the process: it does so after `end`, by the same signal, and a
 * second signal does so at once. With one, the app decides about the end; leaving has begun in the same tick.
 *
 * @param leave - starts leaving synchronously
 * @param end - resolves when the process may end
 */
export function hookSignals(leave: () => void, end: () => Promise<void>): void {
  let told = false
  const stopListening = () => {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal)
  }
  const again = (signal: NodeJS.Signals) => {
    stopListening()
    process.kill(process.pid, signal)
  }
  function onSignal(signal: NodeJS.Signals): void {
    if (told) {
      again(signal)
      return
    }
    told = true
    leave()
    if (process.listenerCount(signal) - 1 > exitHooks()) stopListening()
    else void end().finally(() => again(signal))
  }
  for (const signal of SIGNALS) process.prependListener(signal, onSignal)
}

interface ExitEmitter {
  count?: unknown
}

/**
 * Listeners of `signal-exit`, 4 and 3: they run when the process ends, and end it only where nobody else listens. So they
 * are no listeners of the app, and as long as ours is there they wait for it.
 */
function exitHooks(): number {
  const four = (globalThis as { [key: symbol]: ExitEmitter | undefined })[Symbol.for('signal-exit emitter')]
  const three = (process as { __signal_exit_emitter__?: ExitEmitter }).__signal_exit_emitter__
  return countOf(four) + (three === four ? 0 : countOf(three))
}

function countOf(emitter: ExitEmitter | undefined): number {
  return typeof emitter?.count === 'number' ? emitter.count : 0
}
