import type { AddressInfo } from 'node:net'
import { LanewayError } from '@laneway/core'
import { createIngress, type Ingress } from '@laneway/core/internal'
import { compileRules, type HttpRoute, type RulesInput } from '@laneway/rules'
import { composeAlways } from '@laneway/undici/internal'
import { Agent } from 'undici'
import { BoundedPool } from './exchange/bounded-pool.js'
import { Forwarder } from './exchange/forwarder.js'
import type { GatewayOptions } from './gateway-options.js'
import { createListener, type Listener } from './listener/listener.js'
import { createLineLog } from './observe/access-log.js'
import { createAdmin } from './observe/admin.js'
import { type ResolvedGatewayOptions, resolveGatewayOptions } from './resolve-options.js'
import type { GatewayRoute } from './route/gateway-route.js'
import { createRouteTable } from './route/route-table.js'
import { RoutingTables, type Rules } from './route/routing.js'
import { rulesOptionsOf } from './route/rules-options.js'

/** What can be replaced while requests come in. What is left out stays as it is. */
export interface GatewayUpdate {
  readonly routes?: readonly (GatewayRoute | HttpRoute)[]
  readonly rules?: RulesInput | Rules
}

/** An entrance. */
export interface Gateway {
  /** Opens all ports, the admin port first. */
  listen(): Promise<void>
  /**
   * The address of a listener.
   * @param index - place in `listeners`
   * @throws Error before `listen()`
   */
  address(index?: number): AddressInfo
  /** How many listeners there are. */
  readonly listenerCount: number
  /** @throws Error before `listen()`, or without admin port */
  adminAddress(): AddressInfo
  /**
   * Listening, not draining, and each service of a route has had a first answer of its registry.
   */
  readonly ready: boolean
  /** The text of `/metrics`. */
  metrics(): string
  /**
   * Replaces routes, rules or both, all or nothing. Requests in flight keep the old ones.
   * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES`; then nothing changes
   */
  update(next: GatewayUpdate): void
  /**
   * Counts a document that was taken or refused outside {@link Gateway.update}, in `reloads_total`.
   * @param what - `config` or `rules`
   */
  countReload(what: 'config' | 'rules', taken: boolean): void
  /**
   * Stops the gateway: it reports "not ready", accepts no new connections, waits for requests in flight, then aborts the
   * rest. Closes the resolver. A second call aborts at once, and waits for the first call.
   */
  close(): Promise<void>
}

/** Time for aborted requests to get their answer and their line in the log. */
const ABORT_MS = 1000

/**
 * Creates an entrance of traffic lanes. It removes the tags that clients send, colours by rules, and forwards each
 * request to a service in its lane.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES`
 * @example
 * const gateway = await createGateway({ resolver, routes: [{ path: { prefix: '/' }, service: 'sc-A' }] })
 * await gateway.listen()
 */
export async function createGateway(input: GatewayOptions): Promise<Gateway> {
  const options = resolveGatewayOptions(input)
  const { resolver } = input
  const { upstream, header } = options
  const compileRoutes = (routes: readonly (GatewayRoute | HttpRoute)[]) =>
    createRouteTable(routes, { laneHeaders: header, serviceOf: options.serviceOf, random: options.random })
  const tables = new RoutingTables(compileRoutes(input.routes), readRules(input.rules, options))
  const agent = new Agent({
    connect: { timeout: upstream.connectTimeoutMs, ...upstream.tls },
    headersTimeout: upstream.headersTimeoutMs,
    bodyTimeout: upstream.bodyTimeoutMs,
    keepAliveTimeout: upstream.keepAliveMs,
    connections: upstream.connections,
    factory: (origin, pool) => new BoundedPool(origin, pool, upstream.headersTimeoutMs),
  })
  const dispatcher = composeAlways(agent, { resolver, header, propagateTo: options.propagateTo })
  const log = logOf(options)
  const forwarder = new Forwarder({
    dispatcher,
    tables,
    log: log?.log,
    onUpstreamError: options.onUpstreamError,
    privateAnswers: options.privateAnswers,
    stallTimeoutMs: options.client.stallTimeoutMs,
  })
  const { metrics } = forwarder
  const head = {
    proxies: options.proxies,
    forwarded: options.forwarded,
    keepHost: options.hostHeader === 'keep',
  }
  const { trust, trace } = options
  const ingress = createIngress('createGateway', {
    trust,
    header,
    rules: tables.laneOf,
    trace: trace === false ? false : { name: 'gateway', ...(trace === true ? undefined : trace) },
  })
  const decide: Ingress = request => tables.decide(ingress, request)
  const listeners: readonly Listener[] = options.listeners.map(listener =>
    createListener(listener, forwarder, decide, head, options.client),
  )
  let phase: 'created' | 'listening' | 'draining' | 'closed' = 'created'
  const isReady = (): boolean => phase === 'listening' && waiting() === undefined
  const admin =
    options.admin === undefined
      ? undefined
      : createAdmin(options.admin, {
          isReady,
          reason: () => (phase === 'listening' ? `${waiting()} has no endpoints yet` : phase),
          metrics: () => metrics.text(isReady()),
        })
  let known = false
  let abort: (() => void) | undefined
  let closing: Promise<void> | undefined

  /** A service whose registry has not answered yet. After that, a lost registry changes nothing: the last list stays. */
  function waiting(): string | undefined {
    if (known) return undefined
    const service = tables.routes.services.find(name => (resolver.state(name)?.status ?? 'waiting') === 'waiting')
    known = service === undefined
    return service
  }

  function declare(): void {
    // Asks for the services of all routes before the first request. A failed wait shows in /readyz and in answers.
    for (const service of tables.routes.services) resolver.ready(service).catch(ignore)
  }

  async function end(): Promise<void> {
    const aborted = new Promise<void>(resolve => {
      abort = resolve
    })
    const served = phase === 'listening'
    phase = 'draining'
    if (served) await atMost(aborted, options.drain.delayMs)
    forwarder.draining = true
    for (const listener of listeners) listener.drain()
    await atMost(Promise.race([aborted, forwarder.idle(false)]), options.drain.timeoutMs)
    // Requests that still wait get 503 `closing`; after that nothing waits any more.
    await dispatcher.destroy()
    await atMost(forwarder.idle(false), ABORT_MS)
    await Promise.all(listeners.map(listener => listener.end()))
    await atMost(forwarder.idle(true), ABORT_MS)
    forwarder.close()
    log?.flush()
    await resolver.close()
    await admin?.close()
    phase = 'closed'
  }

  declare()
  return {
    async listen() {
      if (phase !== 'created') throw new LanewayError('LANEWAY_CLOSED', 'a gateway listens once')
      await admin?.listen()
      await Promise.all(listeners.map(listener => listener.listen()))
      phase = 'listening'
    },
    address(index = 0) {
      const listener = listeners[index]
      if (listener === undefined) throw new RangeError(`there is no listener ${index}`)
      return listener.address()
    },
    listenerCount: listeners.length,
    adminAddress() {
      if (admin === undefined) throw new Error('the gateway has no admin port')
      return admin.address()
    },
    get ready() {
      return isReady()
    },
    metrics: () => metrics.text(isReady()),
    update(next) {
      const counted = <T>(what: string, compile: () => T): T => {
        try {
          return compile()
        } catch (error) {
          metrics.reloaded(what, false)
          throw error
        }
      }
      const { routes: newRoutes, rules: newRules } = next
      const routes = newRoutes === undefined ? tables.routes : counted('routes', () => compileRoutes(newRoutes))
      const rules = newRules === undefined ? tables.rules : counted('rules', () => readRules(newRules, options))
      if (next.routes !== undefined) metrics.reloaded('routes', true)
      if (next.rules !== undefined) metrics.reloaded('rules', true)
      tables.routes = routes
      tables.rules = rules
      declare()
    },
    countReload: (what, taken) => metrics.reloaded(what, taken),
    close() {
      if (closing === undefined) closing = end()
      else abort?.()
      return closing
    },
  }
}

function readRules(rules: RulesInput | Rules | undefined, options: ResolvedGatewayOptions): Rules | undefined {
  if (rules === undefined) return undefined
  if (typeof (rules as Rules).decide === 'function') return rules as Rules
  return compileRules(rules as RulesInput, rulesOptionsOf(options))
}

function logOf({ accessLog }: ResolvedGatewayOptions): ReturnType<typeof createLineLog> | undefined {
  if (accessLog === false) return undefined
  if (typeof accessLog === 'function') return { log: accessLog, flush: ignore }
  return createLineLog(accessLog === true ? process.stdout : accessLog)
}

/** Waits for a promise, at most for this time. */
async function atMost(promise: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>(resolve => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([promise, limit])
  clearTimeout(timer)
}

function ignore(): void {}
