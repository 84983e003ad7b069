/**
 * What Laneway needs of a dispatcher, of any undici and of the copy inside Node. The type is structural on purpose: undici's
 * own types would tie this package to one of its majors.
 */
export interface LaneableDispatcher {
  dispatch(options: any, handler: any): boolean
  close(...args: any[]): any
  destroy(...args: any[]): any
}

/** An interceptor as `dispatcher.compose` takes it. */
export type LaneableInterceptor = (dispatch: any, ...rest: any[]) => any

/** The options of one dispatch that Laneway reads. All others pass through. */
export interface DispatchOptions {
  origin?: string | URL
  path?: string
  method?: string
  headers?: unknown
  body?: unknown
  servername?: string | null | undefined
  [key: string | symbol]: unknown
}

export type Dispatch = (options: DispatchOptions, handler: DispatchHandler) => boolean

/** undici 6, 7: called with the raw header lines. */
export interface LegacyHandler {
  onConnect?(abort: (reason?: unknown) => void, context?: unknown): void
  onUpgrade?(status: number | null, headers: unknown, socket: unknown): void
  onResponseStarted?(): void
  onHeaders?(status: number, headers: unknown[], resume: () => void, statusText: string): boolean | undefined
  onData?(chunk: Uint8Array): boolean | undefined
  onComplete?(trailers: unknown): void
  onError?(error: unknown): void
  onBodySent?(chunk: unknown): void
  onRequestSent?(): void
}

/** undici 7, 8: called with a controller. */
export interface ModernHandler {
  onRequestStart?(controller: DispatchController, context?: unknown): void
  onRequestUpgrade?(controller: DispatchController, status: number, headers: unknown, socket: unknown): void
  onResponseStarted?(): void
  onResponseStart?(controller: DispatchController, status: number, headers: ParsedHeaders, statusText?: string): void
  onResponseData?(controller: DispatchController, chunk: Uint8Array): void
  onResponseEnd?(controller: DispatchController, trailers: unknown): void
  onResponseError?(controller: DispatchController | null, error: unknown): void
  onBodySent?(chunk: unknown): void
  onRequestSent?(): void
}

export type DispatchHandler = LegacyHandler & ModernHandler

export type ParsedHeaders = Record<string, string | string[] | undefined>

export interface DispatchController {
  readonly aborted?: boolean
  readonly reason?: unknown
  readonly paused?: boolean
  rawHeaders?: unknown
  rawTrailers?: unknown
  abort(reason?: unknown): void
  pause(): void
  resume(): void
}
