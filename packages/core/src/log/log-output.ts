import { LanewayError } from '../errors.js'
import { describe } from '../options/describe.js'
import type { LaneLogEntry } from './log-entry.js'
import type { Logger } from './logger.js'

/** Writes one entry. */
export type LogOutput = (entry: LaneLogEntry) => void

const WORDS = { ingress: 'in  ', decision: 'pick', egress: 'out ', message: 'msg ' } as const

/** `laneway: pick 2026-01-01T00:00:00.000Z GET /b id=7f lane=gray source=header service=sc-b …: reason` */
export function textOf({ time, event, method, path, reason, ...fields }: LaneLogEntry): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${value}`)
  return [`laneway: ${WORDS[event]}`, time, method ?? '-', path ?? '-', ...pairs].join(' ').concat(`: ${reason}`)
}

/** Lines for a stream. */
export function outputTo(write: (text: string) => void, json: boolean): LogOutput {
  return json
    ? entry => write(`${JSON.stringify({ level: 'debug', name: 'laneway', ...entry })}\n`)
    : entry => write(`${textOf(entry)}\n`)
}

/** Entries for a logger, which has a time of its own. What it throws is its own fault and stays here. */
export function outputToLogger(logger: Logger): LogOutput {
  const write = writerOf(logger)
  return ({ time: _, ...entry }) => {
    try {
      write(entry, `laneway ${entry.event} ${entry.outcome}: ${entry.reason}`)
    } catch {
      // A log must not end a request.
    }
  }
}

function writerOf(logger: Logger): (fields: object, message: string) => void {
  if ((logger as unknown) === globalThis.console) return (fields, message) => logger.debug(message, fields)
  // winston has transports; its methods take one object that holds the message.
  if ('transports' in logger) return (fields, message) => logger.debug({ ...fields, message })
  return (fields, message) => logger.debug(fields, message)
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function assertLogger(where: string, logger: unknown): asserts logger is Logger {
  if (typeof (Object(logger) as Partial<Logger>).debug === 'function') return
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `${where} is a logger with debug(), such as pino, winston or app.log of Fastify; received ${describe(typeof logger)}`,
  )
}
