import { type Call, forgetCall } from './call.js'
import { tellInContext } from './continuation.js'
import type { DispatchController, ModernHandler, ParsedHeaders } from './dispatcher.js'
import { tellOfHead } from './redirect-memory.js'
import type { ServiceHop } from './service-hop.js'

/** Stands between undici and a handler of undici 7 or 8. */
export class ModernExchange implements ModernHandler {
  settled = false
  private success = false
  private controller: DispatchController | null = null

  constructor(
    private readonly handler: ModernHandler,
    private readonly call: Call,
    /** The outermost one looks after the decision. */
    private readonly outermost: boolean,
    private readonly hop: ServiceHop | undefined,
    private readonly vary: string | undefined,
  ) {}

  onRequestStart(controller: DispatchController, context?: unknown): void {
    if (this.hop !== undefined) this.hop.connected = true
    this.controller = controller
    this.handler.onRequestStart?.(controller, context)
  }

  onRequestUpgrade(controller: DispatchController, status: number, headers: unknown, socket: unknown): void {
    this.hop?.start(0)
    this.hop?.end('ok')
    this.finish()
    this.handler.onRequestUpgrade?.(controller, status, headers, socket)
  }

  onResponseStarted(): void {
    if (this.hop !== undefined) this.hop.responded = true
    this.handler.onResponseStarted?.()
  }

  onResponseStart(controller: DispatchController, status: number, headers: ParsedHeaders, statusText?: string): void {
    this.hop?.start(status)
    this.success = status >= 200 && status < 300
    const { call, vary } = this
    const shown = vary === undefined || status < 200 ? headers : withVary(headers, vary)
    if (call.watched && this.outermost) {
      tellOfHead(call, status, headers['location'], () =>
        this.handler.onResponseStart?.(controller, status, shown, statusText),
      )
    } else this.handler.onResponseStart?.(controller, status, shown, statusText)
  }

  onResponseData(controller: DispatchController, chunk: Uint8Array): void {
    this.handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(controller: DispatchController, trailers: unknown): void {
    this.hop?.end('ok')
    const { call } = this
    if (!this.outermost) {
      this.handler.onResponseEnd?.(controller, trailers)
      return
    }
    const { dispatched } = call
    call.open = false
    call.ending = true
    try {
      if (this.success) this.handler.onResponseEnd?.(controller, trailers)
      else tellInContext(call, () => this.handler.onResponseEnd?.(controller, trailers))
    } finally {
      call.ending = false
    }
    this.settled = true
    // Dispatched again meanwhile: a redirect or a retry that stands outside.
    if (call.dispatched === dispatched) forgetCall(this.handler)
  }

  onResponseError(controller: DispatchController | null, error: unknown): void {
    const { hop } = this
    if (hop !== undefined && controller?.aborted === true) hop.gaveUp = true
    this.controller = controller
    const told = hop === undefined ? error : hop.fail(error, this)
    if (told !== undefined || error === undefined) this.fail(told)
  }

  onBodySent(chunk: unknown): void {
    this.handler.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.handler.onRequestSent?.()
  }

  /** Tells the handler once; it may dispatch again, now or later, and then keeps its decision. */
  fail(error: unknown): void {
    if (this.settled) return
    this.settled = true
    const { call, controller } = this
    if (!this.outermost) {
      this.handler.onResponseError?.(controller, error)
      return
    }
    call.open = false
    call.ending = true
    try {
      tellInContext(call, () => this.handler.onResponseError?.(controller, error))
    } finally {
      call.ending = false
    }
  }

  private finish(): void {
    this.settled = true
    if (!this.outermost) return
    this.call.open = false
    forgetCall(this.handler)
  }
}

function withVary(headers: ParsedHeaders, name: string): ParsedHeaders {
  const { vary } = headers
  return { ...headers, vary: vary === undefined ? name : `${Array.isArray(vary) ? vary.join(', ') : vary}, ${name}` }
}
