/** An outgoing call, as the events of its hops describe it. */
export interface CallInfo {
  /** `GET`; `undefined` where the client did not say. */
  readonly method: string | undefined
  /** As the caller gave it, with the query: it may hold secrets. */
  readonly path: string | undefined
  /** The service that the host names; `undefined` for other hosts. */
  readonly service: string | undefined
  /** `host:port` that was chosen; `undefined` before the choice and for other hosts. */
  readonly address: string | undefined
  /**
   * The incoming request during which the call was made; `undefined` for none, and while no log follows requests. Not
   * enumerable, so that an event can be serialised.
   */
  readonly request: object | undefined
}

/** Makes the description of a call for events. */
export function createCallInfo({ request, ...fields }: CallInfo): CallInfo {
  return Object.defineProperty(fields, 'request', { value: request }) as CallInfo
}
