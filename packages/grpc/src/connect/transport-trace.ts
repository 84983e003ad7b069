import type { Lane } from '@laneway/core'
import { PATH_HEADER, TRACE_HEADER, type Trace, type TracedCall, traceOf } from '@laneway/core/internal'
import type { Choice, ChoiceEnd } from '@laneway/discovery'

/** Records the attempts of one call over a transport. A stream counts as answered when its messages have ended. */
export class TransportTrace {
  readonly #trace: Trace
  #attempts = 0
  #now: TracedCall | undefined
  /** The target is asked for its path, also when the call itself is not noted any more. */
  #asked = false
  /** Of the head of a stream. */
  #path: string | undefined

  private constructor(trace: Trace) {
    this.#trace = trace
  }

  /** @param context - what is kept for the code that makes the call. @returns `undefined` without a trace */
  static of(context: Lane | undefined): TransportTrace | undefined {
    const trace = traceOf(context)
    return trace === undefined ? undefined : new TransportTrace(trace)
  }

  begins(service: string, lane: Lane | undefined, choice: Choice): void {
    this.#asked = true
    this.#now = this.#trace.call(service, lane, choice.outcome, ++this.#attempts)
    this.#now?.chosen(choice)
  }

  /** Sends a call to a host that is no service. */
  async plain<R extends Record<string, unknown>>(
    host: string,
    lane: Lane | undefined,
    headers: Headers,
    send: () => Promise<R>,
  ): Promise<R> {
    this.#asked = headers.has(TRACE_HEADER)
    this.#now = this.#trace.call(host, lane, this.#asked ? 'forwarded' : 'out-of-scope')
    try {
      const response = await send()
      this.answered(response)
      return response
    } catch (error) {
      this.failed(error, 'reset')
      throw error
    }
  }

  /** The head of a stream is there, and the caller sees it before the messages end. */
  began({ header }: Record<string, unknown>): void {
    this.#path = this.#read(header)
  }

  answered({ header, trailer }: Record<string, unknown>): void {
    const path = this.#read(trailer) ?? this.#read(header) ?? this.#path
    this.#now?.responded('grpc 0', path)
  }

  failed(error: unknown, end: ChoiceEnd): void {
    const { code, metadata } = Object(error) as { code?: unknown; metadata?: unknown }
    const path = this.#read(metadata)
    this.#now?.responded(end === 'ok' ? `grpc ${code}` : end, path)
  }

  /** Takes the path out of headers, which the caller sees as without the trace. */
  #read(headers: unknown): string | undefined {
    if (!(headers instanceof Headers) || !this.#asked) return undefined
    const path = headers.get(PATH_HEADER) ?? undefined
    headers.delete(PATH_HEADER)
    return path
  }
}
