import type { Lane } from '@laneway/core'
import { PATH_HEADER, TRACE_HEADER, type Trace, type TracedCall, traceOf } from '@laneway/core/internal'
import type { Choice } from '@laneway/discovery'
import type { GrpcMetadata, GrpcStatus } from '../grpc-js.js'
import { type CallProgress, endOf, previousAttempts } from './call-end.js'

/** Records the attempts of one call of a traced request. */
export class CallTrace {
  readonly #trace: Trace
  readonly #mayRepeat: boolean
  #attempts = 0
  /** Attempts that grpc-js has repeated. */
  #repeated = 0
  #now: TracedCall | undefined
  /** The target is asked for its path, also when the call itself is not noted any more. */
  #asked = false
  /** Of the head of the answer; a grpc-js server sends it in the trailers. */
  #path: unknown

  private constructor(trace: Trace, mayRepeat: boolean) {
    this.#trace = trace
    this.#mayRepeat = mayRepeat
  }

  /**
   * @param context - what is kept for the code that makes the call
   * @param mayRepeat - a policy of grpc-js may send the call more than once
   * @returns `undefined` without a trace
   */
  static of(context: Lane | undefined, mayRepeat: boolean): CallTrace | undefined {
    const trace = traceOf(context)
    return trace === undefined ? undefined : new CallTrace(trace, mayRepeat)
  }

  /** An attempt at an endpoint begins. */
  begins(service: string, lane: Lane | undefined, choice: Choice): void {
    this.#asked = true
    this.#now = this.#trace.call(service, lane, choice.outcome, ++this.#attempts)
    this.#now?.chosen(choice)
  }

  /** An attempt at a host that is no service begins. @param metadata - what is sent */
  beginsPlain(host: string, lane: Lane | undefined, metadata: GrpcMetadata): void {
    this.#asked = metadata.get(TRACE_HEADER).length > 0
    this.#now = this.#trace.call(host, lane, this.#asked ? 'forwarded' : 'out-of-scope', ++this.#attempts)
  }

  /** No connection could be made to an endpoint, or it refused the call unprocessed. */
  missed(service: string, lane: Lane | undefined, choice: Choice): void {
    const isKnown = this.#now?.status === 'open' && this.#now.address === choice.endpoint?.address
    if (!isKnown) this.begins(service, lane, choice)
    this.#now?.failed('connect-error')
  }

  refused(service: string, lane: Lane | undefined, choice: Choice): void {
    this.begins(service, lane, choice)
    this.#now?.failed('refused')
  }

  /** Takes the path out of metadata, which the caller sees as without the trace. */
  read(metadata: GrpcMetadata): void {
    if (this.#mayRepeat) this.#noteRepeated(previousAttempts(metadata))
    const [path] = metadata.get(PATH_HEADER)
    if (path === undefined || !this.#asked) return
    this.#path = path
    metadata.remove(PATH_HEADER)
  }

  ended(status: GrpcStatus, progress: CallProgress): void {
    this.read(status.metadata)
    const end = endOf(status, progress)
    this.#now?.responded(end === 'ok' ? `grpc ${status.code}` : end, this.#path)
  }

  /** grpc-js repeats a call below Laneway, and says only in what it received at last how often. */
  #noteRepeated(times: number): void {
    for (; this.#repeated < times && this.#now !== undefined; this.#repeated++) {
      const { outcome, served, address } = this.#now
      this.#now.failed('repeated')
      this.#now = this.#now.again()
      this.#now?.chosen({ outcome, served, endpoint: address === undefined ? undefined : { address } })
      this.#attempts++
    }
  }
}
