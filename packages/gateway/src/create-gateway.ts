import type { AddressInfo } from 'node:net'
import { LanewayError } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import { compileRules, type HttpRoute, type RulesInput } from '@laneway/rules'
import { composeLane } from '@laneway/undici'
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

/** What can be replaced while requests come in; what is left out stays. */
export interface GatewayUpdate {
  readonly routes?: readonly (GatewayRoute | HttpRoute)[]
  readonly rules?: RulesInput | Rules
}

/** An entrance. */
export interface Gateway {
  /** Opens all ports, the admin port first. */
  listen(): Promise<void>
  /**
   * Where a listener listens.
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
  /** What `/metrics` says. */
  metrics(): string
  /**
   * Takes new routes or rules, all or nothing; requests under way keep theirs.
   * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_RULES`; then everything stays
   */
  update(next: GatewayUpdate): void
  /**
   * Counts a document that was taken or refused outside {@link Gateway.update}, in `reloads_total`.
   * @param what - `config` or `rules`
   */
  countReload(what: 'config' | 'rules', taken: boolean): void
  /**
   * Ends it: not ready, then no new connections, then waits for what is under way, then cuts off. Closes the resolver.
   * A second call waits for the first, and cuts off at once.
   */
  close(): Promise<void>
}

/** For what was cut off to be told, and noted. */
const CUT_OFF_MS = 1000

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
    createRouteTable(routes, { header, serviceOf: options.serviceOf, random: options.random })
  const tables = new RoutingTables(compileRoutes(input.routes), readRules(input.rules, options))
  const agent = new Agent({
    connect: { timeout: upstream.connectTimeoutMs, ...upstream.tls },
    headersTimeout: upstream.headersTimeoutMs,
    bodyTimeout: upstream.bodyTimeoutMs,
    keepAliveTimeout: upstream.keepAliveMs,
    connections: upstream.connections,
    factory: (origin, pool) => new BoundedPool(origin, pool, upstream.headersTimeoutMs),
  })
  const dispatcher = composeLane(agent, { resolver, header, propagateTo: options.propagateTo })
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
  const ingress = createIngress('createGateway', { trust: options.trust, header, rules: tables.laneOf })
  const listeners: readonly Listener[] = options.listeners.map(listener =>
    createListener(listener, forwarder, ingress, head, options.client),
  )
  let phase: 'made' | 'listening' | 'draining' | 'closed' = 'made'
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
  let cutOff: (() => void) | undefined
  let closing: Promise<void> | undefined

  /** A service whose registry has not answered yet. Once ready, a lost registry changes nothing: the last list stays. */
  function waiting(): string | undefined {
    if (known) return undefined
    const service = tables.routes.services.find(name => (resolver.state(name)?.status ?? 'waiting') === 'waiting')
    known = service === undefined
    return service
  }

  function declare(): void {
    // What a route names is waited for, also before the first request. A failed wait shows in /readyz, and in answers.
    for (const service of tables.routes.services) resolver.ready(service).catch(ignore)
  }

  async function end(): Promise<void> {
    const cut = new Promise<void>(resolve => {
      cutOff = resolve
    })
    const served = phase === 'listening'
    phase = 'draining'
    if (served) await first(cut, options.drain.delayMs)
    forwarder.draining = true
    for (const listener of listeners) listener.drain()
    await first(Promise.race([cut, forwarder.idle(false)]), options.drain.timeoutMs)
    // Whoever still waits for an answer gets one that says so; then nothing is waited for.
    await dispatcher.destroy()
    await first(forwarder.idle(false), CUT_OFF_MS)
    await Promise.all(listeners.map(listener => listener.end()))
    await first(forwarder.idle(true), CUT_OFF_MS)
    forwarder.close()
    log?.flush()
    await resolver.close()
    await admin?.close()
    phase = 'closed'
  }

  declare()
  return {
    async listen() {
      if (phase !== 'made') throw new LanewayError('LANEWAY_CLOSED', 'a gateway listens once')
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
      else cutOff?.()
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

/** Waits for a promise, but no longer than this. */
async function first(promise: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>(resolve => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([promise, limit])
  clearTimeout(timer)
}

function ignore(): void {}
