import { type Call, forgetCall } from './call.js'
import { tellInContext } from './continuation.js'
import type { LegacyHandler } from './dispatcher.js'
import { rawLocations, tellOfHead } from './redirect-memory.js'
import type { ServiceHop } from './service-hop.js'

/**
 * Stands between undici and a handler of undici 6 or 7. It has the methods of that generation and no others: undici 7
 * tells the two apart by them.
 */
export class LegacyExchange implements LegacyHandler {
  settled = false
  private success = false

  constructor(
    private readonly handler: LegacyHandler,
    private readonly call: Call,
    /** The outermost one looks after the decision. */
    private readonly outermost: boolean,
    private readonly hop: ServiceHop | undefined,
    private readonly vary: string | undefined,
  ) {}

  onConnect(abort: (reason?: unknown) => void, context?: unknown): void {
    const { hop } = this
    if (hop === undefined) {
      this.handler.onConnect?.(abort, context)
      return
    }
    hop.connected = true
    this.handler.onConnect?.(reason => {
      hop.gaveUp = true
      abort(reason)
    }, context)
  }

  onUpgrade(status: number | null, headers: unknown, socket: unknown): void {
    this.hop?.start(0)
    this.hop?.end('ok')
    this.finish()
    this.handler.onUpgrade?.(status, headers, socket)
  }

  onResponseStarted(): void {
    if (this.hop !== undefined) this.hop.responded = true
    this.handler.onResponseStarted?.()
  }

  onHeaders(status: number, headers: unknown[], resume: () => void, statusText: string): boolean | undefined {
    this.hop?.start(status)
    this.success = status >= 200 && status < 300
    const { call, vary } = this
    const shown = vary === undefined || status < 200 ? headers : withRawVary(headers, vary)
    return call.watched && this.outermost
      ? tellOfHead(call, status, rawLocations(headers), () =>
          this.handler.onHeaders?.(status, shown, resume, statusText),
        )
      : this.handler.onHeaders?.(status, shown, resume, statusText)
  }

  onData(chunk: Uint8Array): boolean | undefined {
    return this.handler.onData?.(chunk)
  }

  onComplete(trailers: unknown): void {
    this.hop?.end('ok')
    const { call } = this
    if (!this.outermost) {
      this.handler.onComplete?.(trailers)
      return
    }
    const { dispatched } = call
    call.open = false
    call.ending = true
    try {
      if (this.success) this.handler.onComplete?.(trailers)
      else tellInContext(call, () => this.handler.onComplete?.(trailers))
    } finally {
      call.ending = false
    }
    this.settled = true
    // Dispatched again meanwhile: a redirect that stands outside.
    if (call.dispatched === dispatched) forgetCall(this.handler)
  }

  onError(error: unknown): void {
    const told = this.hop === undefined ? error : this.hop.fail(error, this)
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
    const { call } = this
    if (!this.outermost) {
      this.handler.onError?.(error)
      return
    }
    call.open = false
    call.ending = true
    try {
      tellInContext(call, () => this.handler.onError?.(error))
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

function withRawVary(headers: unknown[], name: string): unknown[] {
  if (!Array.isArray(headers)) return headers
  const varied = headers.slice()
  for (let index = 0; index + 1 < varied.length; index += 2) {
    if (String(varied[index]).toLowerCase() !== 'vary') continue
    const value = Array.isArray(varied[index + 1])
      ? (varied[index + 1] as unknown[]).join(', ')
      : String(varied[index + 1])
    varied[index + 1] = Buffer.from(`${value}, ${name}`, 'latin1')
    return varied
  }
  varied.push(Buffer.from('vary'), Buffer.from(name))
  return varied
}
