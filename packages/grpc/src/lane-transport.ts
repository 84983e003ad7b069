import { isIP } from 'node:net'
import { currentLane, guardLookup, kAnyAddress, type Lane, type Lookup } from '@laneway/core'
import type { Choice, Endpoint } from '@laneway/discovery'
import { HeaderCarrier } from './header-carrier.js'
import {
  type LaneChannelOptions,
  type ResolvedLaneChannelOptions,
  resolveLaneChannelOptions,
} from './lane-channel-options.js'
import { byScope, inScope, laneOfMetadata } from './outgoing-metadata.js'
import { ReplayedInput } from './replayed-input.js'
import { endOfError, endOfMessages, isUnconnected } from './transport-end.js'

/** Of `Transport` of `@connectrpc/connect` 2. */
export interface AnyTransport {
  unary(...args: any[]): Promise<any>
  stream(...args: any[]): Promise<any>
}

/** Where a transport is to lead. */
export interface TransportTarget {
  /** `http://10.0.0.7:50051`; for what is no service, the URL that was given. */
  readonly baseUrl: string
  /**
   * What the HTTP client needs besides: the name that TLS asks for, and a look-up that refuses link-local addresses. Put it
   * into `nodeOptions`.
   */
  readonly nodeOptions: { servername?: string; lookup?: Lookup }
}

/** Options of {@link laneTransport}: those of `laneChannel` but for the time of a connection, which is the transport's own. */
export type LaneTransportOptions = Omit<LaneChannelOptions, 'connectTimeoutMs'>

/** Endpoints after the first, all before a byte of the call has left. */
const MAX_RETRIES = 2

type Arguments = [
  method: unknown,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: unknown,
  input: unknown,
  ...more: unknown[],
]

/**
 * A transport of `@connectrpc/connect` whose calls go to endpoints of their lane and carry its tag. It is needed over HTTP/2;
 * a transport over HTTP/1.1 goes through `node:http` or `fetch`, which `@laneway/http` and `@laneway/undici` serve.
 *
 * @param baseUrl - its host names a service of the resolver
 * @param create - makes a transport; called once for each endpoint, and once for a host that is no service
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, when called; a call without an endpoint rejects with
 *   `LANEWAY_LANE_REQUIRED`, `LANEWAY_NO_BASE`, `LANEWAY_NO_INSTANCES` or `LANEWAY_NOT_READY`
 */
export function laneTransport<T extends AnyTransport>(
  baseUrl: string,
  create: (target: TransportTarget) => T,
  options: LaneTransportOptions = {},
): T {
  const route = new TransportRoute(
    new URL(baseUrl),
    baseUrl,
    create,
    resolveLaneChannelOptions('laneTransport', options),
  )
  const transport: AnyTransport = {
    unary: (...args) => new TransportCall(route, 'unary', args as unknown as Arguments).run(),
    stream: (...args) => new TransportCall(route, 'stream', args as unknown as Arguments).run(),
  }
  return transport as T
}

class TransportRoute {
  readonly hostname: string
  readonly #port: number | undefined
  readonly #secure: boolean
  readonly #byAddress = new Map<string, AnyTransport>()
  #plain: AnyTransport | undefined

  constructor(
    url: URL,
    private readonly baseUrl: string,
    private readonly create: (target: TransportTarget) => AnyTransport,
    readonly options: ResolvedLaneChannelOptions,
  ) {
    this.#secure = url.protocol === 'https:'
    this.hostname = url.hostname
    this.#port = url.port === '' ? undefined : Number(url.port)
    options.resolver?.onEndpointGone(({ address }) => this.#byAddress.delete(address))
  }

  service(): string | undefined {
    return this.options.resolver?.match(this.hostname, this.#port, this.#secure)
  }

  plain(): AnyTransport {
    this.#plain ??= this.create({ baseUrl: this.baseUrl, nodeOptions: {} })
    return this.#plain
  }

  to(endpoint: Endpoint): AnyTransport {
    let transport = this.#byAddress.get(endpoint.address)
    if (transport === undefined) {
      const nodeOptions: { servername?: string; lookup?: Lookup } = {}
      if (this.#secure) nodeOptions.servername = this.hostname
      const unchecked = (endpoint as { [kAnyAddress]?: true })[kAnyAddress] === true
      if (isIP(endpoint.host) === 0 && !unchecked) nodeOptions.lookup = guardLookup(undefined)
      const path = new URL(this.baseUrl).pathname.replace(/\/$/, '')
      const origin = `${this.#secure ? 'https' : 'http'}://${endpoint.address}${path}`
      transport = this.create({ baseUrl: origin, nodeOptions })
      this.#byAddress.set(endpoint.address, transport)
    }
    return transport
  }
}

class TransportCall {
  readonly #caller = currentLane()
  readonly #given: HeaderCarrier
  readonly #input: ReplayedInput<unknown> | undefined
  #tried: Set<string> | undefined

  constructor(
    private readonly route: TransportRoute,
    private readonly kind: 'unary' | 'stream',
    private readonly args: Arguments,
  ) {
    this.#given = new HeaderCarrier(new Headers(args[3] as ConstructorParameters<typeof Headers>[0]))
    if (kind === 'stream') this.#input = new ReplayedInput(args[4] as AsyncIterable<unknown>)
  }

  async run(): Promise<unknown> {
    const { route } = this
    const { options, hostname } = route
    let looked = false
    let cause: unknown
    for (let retries = 0; ; ) {
      const service = route.service()
      if (service === undefined) return this.#leave()
      const lane = laneOfMetadata(this.#given, this.#caller, hostname, options)
      const choice = options.resolver!.pick(service, lane, this.#tried)
      const { endpoint } = choice
      if (endpoint === undefined) {
        if (choice.outcome !== 'not-ready' || looked) throw options.resolver!.refusal(choice, lane, cause)
        looked = true
        await options.resolver!.lookup(service)
        continue
      }
      if (this.#tried?.has(endpoint.address) === true) throw cause
      try {
        return await this.#send(choice, endpoint, lane)
      } catch (error) {
        const movable = isUnconnected(error) && (this.#input?.whole ?? true) && this.args[1]?.aborted !== true
        if (!movable || retries++ >= MAX_RETRIES) throw error
        cause = error
        this.#tried ??= new Set()
        this.#tried.add(endpoint.address)
      }
    }
  }

  async #send(choice: Choice, endpoint: Endpoint, lane: Lane | undefined): Promise<unknown> {
    const { options, hostname } = this.route
    const resolver = options.resolver!
    const { headers } = inScope(this.#given, lane, hostname, options)
    resolver.started(choice)
    try {
      const response = await this.#call(this.route.to(endpoint), headers)
      if (this.kind === 'unary') resolver.finished(choice, 'ok')
      else
        response.message = endOfMessages(response.message as AsyncIterable<unknown>, () =>
          resolver.finished(choice, 'ok'),
        )
      return response
    } catch (error) {
      resolver.finished(choice, endOfError(error, this.args[1]))
      throw error
    }
  }

  #leave(): Promise<unknown> {
    const { options, hostname } = this.route
    const { headers } = byScope(this.#given, this.#caller, [hostname], options)
    return this.#call(this.route.plain(), headers)
  }

  #call(transport: AnyTransport, headers: Headers): Promise<Record<string, unknown>> {
    const [method, signal, timeoutMs, , input, ...more] = this.args
    return transport[this.kind](method, signal, timeoutMs, headers, this.#input ?? input, ...more)
  }
}
