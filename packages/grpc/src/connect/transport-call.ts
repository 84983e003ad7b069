import type { Lane } from '@laneway/core'
import { contextNow, laneOfContext, refusalOf } from '@laneway/core/internal'
import type { Choice, Endpoint } from '@laneway/discovery'
import { byScope, inScope, laneOfMetadata } from '../outgoing-metadata.js'
import { HeaderCarrier } from './header-carrier.js'
import { ReplayedInput } from './replayed-input.js'
import { endOfError, endOfMessages, isUnseen, statusOfError } from './transport-end.js'
import type { AnyTransport, TransportRoute } from './transport-route.js'
import { TransportTrace } from './transport-trace.js'

/** How many other endpoints are tried while no endpoint has seen the call. */
const MAX_RETRIES = 2

/** The arguments of `Transport.unary` and `Transport.stream`. */
export type TransportArguments = [
  method: unknown,
  signal: AbortSignal | undefined,
  timeoutMs: number | undefined,
  header: unknown,
  input: unknown,
  ...more: unknown[],
]

/** One call over a transport. It reads the lane of the caller when it is made. */
export class TransportCall {
  readonly #route: TransportRoute
  readonly #kind: 'unary' | 'stream'
  readonly #args: TransportArguments
  readonly #caller = contextNow()
  readonly #trace = TransportTrace.of(this.#caller)
  readonly #given: HeaderCarrier
  readonly #input: ReplayedInput<unknown> | undefined
  readonly #began = Date.now()
  #tried: Set<string> | undefined

  constructor(route: TransportRoute, kind: 'unary' | 'stream', args: TransportArguments) {
    this.#route = route
    this.#kind = kind
    this.#args = args
    this.#given = new HeaderCarrier(new Headers(args[3] as ConstructorParameters<typeof Headers>[0]))
    if (kind === 'stream') this.#input = new ReplayedInput(args[4] as AsyncIterable<unknown>)
  }

  async run(): Promise<unknown> {
    try {
      return await this.#attempts()
    } catch (error) {
      this.#input?.close()
      throw error
    }
  }

  async #attempts(): Promise<unknown> {
    const { options, hostname, handle } = this.#route
    const [, signal] = this.#args
    let looked = false
    let cause: unknown
    for (let retries = 0; ; ) {
      const service = this.#route.service()
      if (service === undefined) return this.#sendPlain()
      const lane = laneOfMetadata(this.#given, laneOfContext(this.#caller), hostname, options)
      const choice = handle!.pick(service, lane, this.#tried)
      const { endpoint } = choice
      if (endpoint === undefined) {
        if (choice.outcome !== 'not-ready' || looked) throw refusalOf(options.resolver!, choice, lane, cause)
        looked = true
        await within(options.resolver!.lookup(service), signal, this.#timeLeft())
        continue
      }
      if (this.#tried?.has(endpoint.address) === true) throw cause
      try {
        this.#trace?.begins(service, lane, choice)
        return await this.#send(choice, endpoint, lane)
      } catch (error) {
        const movable = isUnseen(error) && (this.#input?.whole ?? true) && signal?.aborted !== true
        if (!movable || retries++ >= MAX_RETRIES || options.resolver!.mayReconnect?.(choice) === false) throw error
        cause = error
        this.#tried ??= new Set()
        this.#tried.add(endpoint.address)
      }
    }
  }

  async #send(choice: Choice, endpoint: Endpoint, lane: Lane | undefined): Promise<unknown> {
    const { options, hostname } = this.#route
    const resolver = options.resolver!
    const { headers } = inScope(this.#given, lane, hostname, options, this.#trace !== undefined)
    const signal = this.#args[1]
    resolver.started(choice)
    try {
      const response = await this.#call(this.#route.to(endpoint), headers)
      this.#input?.commit()
      if (this.#kind === 'unary') {
        this.#trace?.answered(response)
        resolver.finished(choice, 'ok', 200)
      } else {
        this.#trace?.began(response)
        const messages = response['message'] as AsyncIterable<unknown>
        response['message'] = endOfMessages(messages, signal, status => {
          this.#trace?.answered(response)
          resolver.finished(choice, 'ok', status)
        })
      }
      return response
    } catch (error) {
      const end = endOfError(error, signal)
      this.#trace?.failed(error, end)
      // It did not have all the time of the caller.
      const late = end === 'timeout' && this.#tried !== undefined
      resolver.finished(choice, late ? 'aborted' : end, statusOfError(error))
      throw error
    }
  }

  /** The host is no service: the call goes where it would without a resolver. */
  #sendPlain(): Promise<unknown> {
    const { options, hostname } = this.#route
    const lane = laneOfContext(this.#caller)
    const { headers } = byScope(this.#given, lane, [hostname], options, this.#trace !== undefined)
    return this.#trace === undefined
      ? this.#call(this.#route.plain(), headers)
      : this.#trace.plain(hostname, lane, headers, () => this.#call(this.#route.plain(), headers))
  }

  #call(transport: AnyTransport, headers: Headers): Promise<Record<string, unknown>> {
    const [method, signal, , , input, ...more] = this.#args
    return transport[this.#kind](method, signal, this.#timeLeft(), headers, this.#input ?? input, ...more)
  }

  /** One deadline holds for all attempts. 0 or less means none, so at least 1 ms remains. */
  #timeLeft(): number | undefined {
    const timeoutMs = this.#args[2]
    if (timeoutMs === undefined || timeoutMs <= 0) return timeoutMs
    return Math.max(1, timeoutMs - (Date.now() - this.#began))
  }
}

/** Waits no longer than the caller does. @throws what the caller has aborted with */
async function within(wait: Promise<unknown>, signal: AbortSignal | undefined, ms: number | undefined): Promise<void> {
  signal?.throwIfAborted()
  let timer: NodeJS.Timeout | undefined
  let abort: (() => void) | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      wait.then(() => resolve(), reject)
      if (ms !== undefined && ms > 0) timer = setTimeout(resolve, ms)
      abort = () => reject(signal!.reason)
      signal?.addEventListener('abort', abort)
    })
  } finally {
    clearTimeout(timer)
    if (abort !== undefined) signal?.removeEventListener('abort', abort)
  }
}
