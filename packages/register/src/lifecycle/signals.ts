import { constants } from 'node:os'

/** The signals with which an orchestrator ends a process. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Deregisters when a signal asks the process to end, before the app's own listeners run.
 *
 * Without a listener of the app, the signal alone would end the process: now the same signal ends it after `end`, and a
 * second signal ends it at once. With a listener, the app decides when to end; deregistration has begun in the same tick.
 *
 * @param deregister - starts to deregister in the same tick
 * @param end - resolves when the process may end
 */
export function hookSignals(deregister: () => void, end: () => Promise<void>): void {
  let isEnding = false
  const stopListening = () => {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal)
  }
  const again = (signal: NodeJS.Signals) => {
    stopListening()
    process.kill(process.pid, signal)
    // The kernel drops a signal to the first process of a container that nobody listens to.
    if (process.pid === 1) process.exit(128 + constants.signals[signal])
  }
  function onSignal(signal: NodeJS.Signals): void {
    if (isEnding) {
      again(signal)
      return
    }
    isEnding = true
    deregister()
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
