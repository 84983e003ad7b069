import type { AddressInfo } from 'node:net'
import { LanewayError } from '@laneway/core'
import { type OptionTable, oneOf, port, readOptions, text, texts, unchecked } from '@laneway/core/internal'
import type { LaneResolver, Source } from '@laneway/discovery'
import type { WrittenRequest } from '@laneway/rules/internal'
import { ask, type Decided } from './feeds/ask.js'
import { Hub } from './feeds/hub.js'
import { Matrix } from './feeds/matrix.js'
import { NO_TRAFFIC, type Polled, startPolls } from './feeds/polls.js'
import { readAssets } from './http/assets.js'
import { createGuard, createToken } from './http/guard.js'
import { createConsoleServer } from './http/server.js'
import type { MessageReader } from './readers/reader.js'

/** Options of {@link startConsole}. */
export interface ConsoleOptions {
  /** The registries to show. The console subscribes to all services that they list, and does not close them. */
  sources: readonly Source[]
  /** Answers the view Ask. @default undefined: Ask explains rules only */
  resolver?: LaneResolver | undefined
  /** @default '127.0.0.1'; every other address than loopback needs a token */
  host?: string
  /** @default 0, a free one */
  port?: number
  /** Names under which the page is opened, besides `localhost` and IP addresses. @default [] */
  hostNames?: readonly string[]
  /** At least 16 characters. @default none on loopback, else a new random one, which is part of `url` */
  token?: string | undefined
  /** What the services do for a lane that a service does not have; the matrix shows it. @default 'base' */
  whenLaneMissing?: 'base' | 'fail' | undefined
  /** Calls between services, for the map. @default undefined: no map */
  flows?: Polled['flows']
  /** @default undefined: no releases */
  releases?: Polled['releases']
  /** Judges the lane that is being released. @default undefined: no verdict */
  gate?: Polled['gate']
  /** Brokers. The console closes the readers. @default []: no messages */
  messages?: readonly MessageReader[]
  /** How the rules at the entrance decide a request. @default undefined: Ask takes no request */
  decide?:
    | { readonly name: string; readonly request: (request: WrittenRequest) => Decided | Promise<Decided> }
    | undefined
  /** Entrances to which Ask may send a traced request, and what sends it. @default undefined: it sends none */
  trace?:
    | {
        readonly entrances: readonly string[]
        readonly send: (url: string, headers: readonly string[]) => Promise<readonly string[]>
      }
    | undefined
}

/** A console that serves. */
export interface RunningConsole {
  /** To open in a browser; with the token, where there is one. */
  readonly url: string
  close(): Promise<void>
}

const OPTIONS = {
  sources: (value, place) => {
    if (!Array.isArray(value)) throw place.unexpected('a list of sources', value)
    return value as readonly Source[]
  },
  resolver: unchecked<ConsoleOptions['resolver']>(),
  host: text('127.0.0.1'),
  port: port(0, 0),
  hostNames: texts(),
  token: (value, place) => {
    if (value === undefined) return undefined
    // The value stays out of the message.
    if (typeof value !== 'string' || !/^[\x21-\x7e]{16,}$/.test(value)) {
      throw place.unexpected('at least 16 visible ASCII characters', '(a token)')
    }
    return value
  },
  whenLaneMissing: oneOf(['base', 'fail'], 'base'),
  flows: unchecked<ConsoleOptions['flows']>(),
  releases: unchecked<ConsoleOptions['releases']>(),
  gate: unchecked<ConsoleOptions['gate']>(),
  messages: (value = [], place) => {
    if (!Array.isArray(value)) throw place.unexpected('a list of readers', value)
    return value as readonly MessageReader[]
  },
  decide: unchecked<ConsoleOptions['decide']>(),
  trace: unchecked<ConsoleOptions['trace']>(),
} satisfies OptionTable<ConsoleOptions>

/**
 * Starts the console: a server with one page that shows services by lanes, live. It only reads.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`; Node's error when it cannot listen
 */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const given = readOptions('startConsole', options, OPTIONS)
  const { sources, resolver, host, hostNames, decide, trace } = given
  const token = given.token ?? (isLoopback(host) ? undefined : createToken())
  const { flows, releases, gate, messages } = given
  const can = {
    explain: resolver !== undefined,
    rules: decide?.name ?? null,
    entrances: trace?.entrances ?? [],
    gapsFail: given.whenLaneMissing === 'fail',
  }
  const hub = new Hub(can, {
    registries: [],
    traffic: flows === undefined ? null : { ...NO_TRAFFIC, from: flows.name },
    releases:
      releases === undefined && gate === undefined ? null : { from: releases?.name ?? '', rollouts: [], routings: [] },
    messages: messages.length === 0 ? null : messages.map(({ name }) => ({ from: name, queues: [] })),
  })
  const matrix = new Matrix(sources, hub)
  const server = createConsoleServer(createGuard(hostNames, token), readAssets(), hub, {
    service: { method: 'GET', answer: parameters => matrix.details(parameters.get('name') ?? '') },
    ask: { method: 'GET', answer: parameters => ask(parameters, resolver, decide?.request) },
    // POST, because it sends a request to a service.
    trace: { method: 'POST', answer: (_parameters, body) => sendTraced(trace, body) },
  })
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(given.port, host, resolve)
    })
  } catch (error) {
    matrix.close()
    hub.close()
    throw error
  }
  const endPolls = startPolls({ flows, releases, gate, messages }, hub, () => matrix.instances())
  const { address, port: listened } = server.address() as AddressInfo
  const shown = address.includes(':') ? `[${address}]` : address
  return {
    url: `http://${shown}:${listened}/${token === undefined ? '' : `?token=${encodeURIComponent(token)}`}`,
    async close() {
      endPolls()
      matrix.close()
      hub.close()
      await Promise.allSettled(messages.map(reader => reader.close?.()))
      await new Promise(resolve => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
}

/** Sends a traced request, to an entrance that the console was started with and to nobody else. */
async function sendTraced(trace: ConsoleOptions['trace'], body: unknown): Promise<{ lines: readonly string[] }> {
  const { entrance, path, headers } = Object(body) as Record<string, unknown>
  if (trace === undefined || typeof entrance !== 'string' || !trace.entrances.includes(entrance)) {
    throw new LanewayError('LANEWAY_INVALID_OPTION', 'a traced request goes to an entrance that --entrance names')
  }
  const wanted = typeof path === 'string' && path.startsWith('/') ? path : '/'
  const url = new URL(wanted, entrance)
  if (url.origin !== new URL(entrance).origin) throw new Error('the path leads away from the entrance')
  const lines = typeof headers === 'string' ? headers.split('\n').filter(line => line.trim() !== '') : []
  return { lines: await trace.send(url.href, lines) }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
