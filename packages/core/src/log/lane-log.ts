import { followRequests } from '../context/context.js'
import { slot } from '../context/context-slot.js'
import { callback, flag, unchecked } from '../options/option.js'
import { type OptionTable, readOptions } from '../options/read-options.js'
import { channels, type DecisionEvent, type EgressEvent, type IngressEvent, type MessageEvent } from './events.js'
import { decisionEntry, egressEntry, ingressEntry, messageEntry } from './log-entry.js'
import { assertLogger, type LogOutput, outputTo, outputToLogger } from './log-output.js'
import type { Logger } from './logger.js'

/** Options of {@link logLanes}. */
export interface LaneLogOptions {
  /** The app's own logger; entries go to its `debug`. @default that of `setLogger`; without one, lines on standard error */
  logger?: Logger
  /** One JSON object a line. @default false */
  json?: boolean
  /** Takes the lines, each with its line end. @default standard error, so that a program's own output stays its own */
  write?: (text: string) => void
  /** @default the clock */
  now?: () => Date
}

const OPTIONS = {
  logger: unchecked<Logger | undefined>(),
  json: flag(false),
  write: callback<(text: string) => void, (text: string) => void>(writeError),
  now: callback<() => Date, () => Date>(() => new Date()),
} satisfies OptionTable<LaneLogOptions>

/** A log that runs. */
export interface LaneLog {
  /** From now on the entries go to this logger. */
  useLogger(logger: Logger): void
  /** Ends it. Idempotent. */
  close(): void
}

/**
 * Logs each request that comes in, each choice of an endpoint, each call that goes out, and each message that reaches a
 * consumer, one line each, with the reason in words. Lines of one request have one id. Paths are printed without their query, headers not at all.
 *
 * Without a log there is no cost: Laneway builds events only while there is a subscriber. A log costs an
 * object and a line per event, and a context of its own for each request.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 * @example
 * const app = fastify({ logger: { level: 'debug' } })
 * logLanes({ logger: app.log })
 */
export function logLanes(options: LaneLogOptions = {}): LaneLog {
  const { logger, json, write, now } = readOptions('logLanes', options, OPTIONS)
  if (logger !== undefined) assertLogger('logLanes: logger', logger)
  let output: LogOutput = logger === undefined ? outputOfProcess(outputTo(write, json)) : outputToLogger(logger)
  const onIngress = (event: IngressEvent) => output(ingressEntry(event, now()))
  const onDecision = (event: DecisionEvent) => output(decisionEntry(event, now()))
  const onEgress = (event: EgressEvent) => output(egressEntry(event, now()))
  const onMessage = (event: MessageEvent) => output(messageEntry(event, now()))
  const unfollow = followRequests()
  channels.ingress.subscribe(onIngress)
  channels.decision.subscribe(onDecision)
  channels.egress.subscribe(onEgress)
  channels.message.subscribe(onMessage)
  return {
    useLogger(next) {
      assertLogger('useLogger', next)
      output = outputToLogger(next)
    },
    close() {
      unfollow()
      channels.ingress.unsubscribe(onIngress)
      channels.decision.unsubscribe(onDecision)
      channels.egress.unsubscribe(onEgress)
      channels.message.unsubscribe(onMessage)
    },
  }
}

/** To the logger of the process while there is one. */
function outputOfProcess(lines: LogOutput): LogOutput {
  let known: Logger | undefined
  let output = lines
  return entry => {
    if (slot.logger !== known) {
      known = slot.logger
      output = known === undefined ? lines : outputToLogger(known)
    }
    output(entry)
  }
}

function writeError(text: string): void {
  process.stderr.write(text)
}
