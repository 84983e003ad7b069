import type { Lane } from '@laneway/core'
import { PATH_HEADER, TRACE_HEADER, type Trace, type TracedCall, traceOf } from '@laneway/core/internal'
import type { Choice } from '@laneway/discovery'
import type { GrpcMetadata, GrpcStatus } from '../grpc-js.js'
import { type CallProgress, endOf } from './call-end.js'

/** Records the attempts of one call of a traced request. */
export class CallTrace {
  readonly #trace: Trace
  #attempts = 0
  #now: TracedCall | undefined
  /** Of the head of the answer; a grpc-js server sends it in the trailers. */
  #path: unknown

  private constructor(trace: Trace) {
    this.#trace = trace
  }

  /** @param context - what is kept for the code that makes the call. @returns `undefined` without a trace */
  static of(context: Lane | undefined): CallTrace | undefined {
    const trace = traceOf(context)
    return trace === undefined ? undefined : new CallTrace(trace)
  }

  /** An attempt at an endpoint begins. */
  begins(service: string, lane: Lane | undefined, choice: Choice): void {
    this.#now = this.#trace.call(service, lane, choice.outcome, ++this.#attempts)
    this.#now?.chosen(choice)
  }

  /** An attempt at a host that is no service begins. @param metadata - what is sent */
  beginsPlain(host: string, lane: Lane | undefined, metadata: GrpcMetadata): void {
    const outcome = metadata.get(TRACE_HEADER).length > 0 ? 'forwarded' : 'out-of-scope'
    this.#now = this.#trace.call(host, lane, outcome, ++this.#attempts)
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
    const [path] = metadata.get(PATH_HEADER)
    if (path === undefined || this.#now?.asked !== true) return
    this.#path = path
    metadata.remove(PATH_HEADER)
  }

  ended(status: GrpcStatus, progress: CallProgress): void {
    this.read(status.metadata)
    const end = endOf(status, progress)
    this.#now?.responded(end === 'ok' ? `grpc ${status.code}` : end, this.#path)
  }
}
