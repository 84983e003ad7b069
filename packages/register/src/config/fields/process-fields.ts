import { type Field, MAX_MS } from './field.js'

/** Shutdown, parts and logging. */
export const PROCESS_FIELDS = {
  shutdownMs: {
    variable: 'LANEWAY_SHUTDOWN_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'longest wait for the deregistration, and then for open requests, in ms',
    fallback: '5000',
  },
  leaveDelayMs: {
    variable: 'LANEWAY_LEAVE_DELAY_MS',
    kind: 'integer',
    least: 0,
    most: MAX_MS,
    meaning: 'how long the process goes on serving after it has deregistered, in ms; Spring callers need 40000',
    fallback: '3000, at most `shutdownMs`',
  },
  disable: {
    variable: 'LANEWAY_DISABLE',
    kind: 'list',
    meaning: 'parts to switch off, see below; `all` switches Laneway off',
    fallback: 'none',
  },
  control: {
    variable: 'LANEWAY_CONTROL',
    kind: 'text',
    meaning:
      'a JSON file, or `nacos:dataId` or `nacos:dataId@group`, that changes settings and switches Laneway off and on while it runs',
    fallback: 'none',
  },
  lanes: {
    variable: 'LANEWAY_LANES',
    kind: 'text',
    meaning:
      'serves `/lanes`, where the calls of this process went, on a port of its own for `laneway console`: `9464`, `0.0.0.0:9464`, or a range of which each process takes a free one, `9464-9471`; on loopback without an address',
    fallback: 'not served',
  },
  diagnose: {
    variable: 'LANEWAY_DIAGNOSE',
    kind: 'flag',
    meaning:
      'prints once which libraries are hooked, the state of registry, services and own registration, and what looks wrong',
    fallback: 'off',
  },
  log: {
    variable: 'LANEWAY_LOG',
    kind: ['debug', 'warn', 'silent'],
    meaning:
      '`debug` prints a line for each request in, each choice, each call out, each message that is handled, with the reason',
    fallback: '`warn`',
  },
  logFormat: {
    variable: 'LANEWAY_LOG_FORMAT',
    kind: ['text', 'json'],
    meaning: 'format of the `debug` lines: text for people, or JSON objects',
    fallback: '`text`',
  },
} as const satisfies Readonly<Record<string, Field>>
