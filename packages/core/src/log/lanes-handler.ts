import type { IncomingMessage, ServerResponse } from 'node:http'
import { isPrivateAddress } from '../ingress/private-address.js'
import { unchecked } from '../options/option.js'
import { type OptionTable, readOptions } from '../options/read-options.js'
import { channels, type DecisionEvent } from './events.js'

/** Options of {@link lanesHandler}. */
export interface LanesHandlerOptions {
  /** The name of this service, as its callers know it. */
  service: string
  /**
   * Who may read it.
   * @default clients with a loopback or private address whose request came through no proxy
   */
  allow?: ((request: IncomingMessage) => boolean) | undefined
}

/** A handler of `node:http` and Express that counts from its creation on. */
export interface LanesHandler {
  (request: IncomingMessage, response: ServerResponse): void
  /** Stops counting. */
  close(): void
}

/** What a process says of its calls; counts grow for as long as it runs. */
export interface LanesDocument {
  readonly version: 1
  readonly service: string
  /** Tells a restart: the counts begin again. */
  readonly startedAt: number
  readonly decisions: readonly Count[]
}

interface Count {
  readonly service: string
  /** As on the wire; `base` for none. */
  readonly lane: string
  /** A tag, `base`, or `none` when nothing could serve. */
  readonly served: string
  /** As in the event `laneway:decision`. */
  readonly outcome: string
  count: number
}

/** Service names and lanes come from the network. */
const MAX_COUNTS = 5000

const OPTIONS = {
  service: (value, place) => {
    if (typeof value !== 'string' || value === '') throw place.unexpected('the name of this service', value)
    return value
  },
  allow: unchecked<LanesHandlerOptions['allow']>(),
} satisfies OptionTable<LanesHandlerOptions>

/**
 * Makes a handler that shows the console where the calls of this process went: `app.get('/lanes', lanesHandler({ service: 'orders' }))`.
 * It answers with names of services and lanes and with counts, never with addresses.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function lanesHandler(options: LanesHandlerOptions): LanesHandler {
  const { service, allow = isPrivateClient } = readOptions('lanesHandler', options, OPTIONS)
  const startedAt = Date.now()
  const counts = new Map<string, Count>()
  const count = ({ service: to, lane, served, outcome, address }: DecisionEvent) => {
    const asked = lane?.header ?? 'base'
    const by = served ?? (address === undefined ? 'none' : 'base')
    const key = `${to}\n${asked}\n${by}\n${outcome}`
    const known = counts.get(key)
    if (known !== undefined) known.count++
    else if (counts.size < MAX_COUNTS) counts.set(key, { service: to, lane: asked, served: by, outcome, count: 1 })
  }
  channels.decision.subscribe(count)
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    if (!allow(request)) return void response.writeHead(404).end()
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end()
    const document: LanesDocument = { version: 1, service, startedAt, decisions: [...counts.values()] }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(document))
  }
  return Object.assign(handler, { close: () => channels.decision.unsubscribe(count) })
}

/** A request that a proxy forwards comes from a private address, too, whoever sent it. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']

function isPrivateClient({ socket, headers }: IncomingMessage): boolean {
  const { remoteAddress } = socket
  return (
    remoteAddress !== undefined &&
    isPrivateAddress(remoteAddress) &&
    FORWARDED.every(name => headers[name] === undefined)
  )
}
