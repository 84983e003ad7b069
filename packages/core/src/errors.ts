/**
 * Every code of every `@laneway/*` package. The code is the contract; messages may change. Compare `error.code`, not
 * `instanceof`: two copies of a package may be loaded.
 */
export const LANEWAY_ERRORS = {
  LANEWAY_AUTH: 'A registry refused the credentials.',
  LANEWAY_CLOSED: 'The resolver, source or client was closed.',
  LANEWAY_DEV_SERVER_LISTEN: 'The in-memory Nacos server cannot have its ports.',
  LANEWAY_DEV_SERVER_TIMEOUT: 'A condition that a test waits for at the in-memory Nacos server did not come true.',
  LANEWAY_FORBIDDEN_ADDRESS: 'The name of an endpoint resolves to a link-local address or a cloud metadata service.',
  LANEWAY_HEADERS_SENT: 'The head of a request was written before its lane could be set or removed.',
  LANEWAY_INVALID_ENDPOINT: 'An endpoint that the user wrote down is not usable.',
  LANEWAY_INVALID_OPTION: 'An option has a value outside its range, or an unknown name.',
  LANEWAY_INVALID_RULES: 'A document of colouring rules is refused; its problems are the cause.',
  LANEWAY_INVALID_TAG: 'A lane tag that the user or the environment set is outside the grammar.',
  LANEWAY_LANE_REQUIRED: 'No usable endpoint of the lane, and the policy says fail.',
  LANEWAY_LEDGER: 'The ledger that says which messages of a log each lane owns cannot be created or read.',
  LANEWAY_NACOS_REFUSED: 'The Nacos server answered a request with an error.',
  LANEWAY_NACOS_UNAVAILABLE: 'No Nacos server can be reached, or it did not answer in time.',
  LANEWAY_NOT_AN_AGENT: 'The dispatcher ignores the origin of a request, so a chosen endpoint would be ignored.',
  LANEWAY_NOT_READY: 'The first snapshot of a declared service did not arrive in time.',
  LANEWAY_NO_BASE: 'The service has no base endpoint that may be used, and the request goes to base.',
  LANEWAY_NO_INSTANCES: 'The service has no endpoint at all.',
  LANEWAY_OVERLOADED: 'Every endpoint that could serve has as many requests in flight as maxInFlight allows.',
  LANEWAY_RESUME_MOVED: 'A resumed body cannot continue: the endpoint that sent its first part is not available.',
  LANEWAY_SOURCE: 'A source could not be read.',
  LANEWAY_UNDICI_MISMATCH: 'Handler and dispatcher come from different undici generations.',
} as const

/** Stable identifier of an error; the values of {@link LANEWAY_ERRORS} explain them. */
export type LanewayErrorCode = keyof typeof LANEWAY_ERRORS

/** The keys that lead to a value in options or in a file, from the outside in: `['routes', 2, 'path']`. */
export type OptionPath = readonly (string | number)[]

/** What an error says besides its code and message. */
export interface LanewayErrorOptions {
  readonly cause?: unknown
  /** @default the message */
  readonly problem?: string
  /** @default [] */
  readonly path?: OptionPath
  /** @default none */
  readonly suggestion?: string | undefined
}

/** The one error class of Laneway. Request data never causes one. */
export class LanewayError extends Error {
  readonly code: LanewayErrorCode
  /** The message without the code. */
  declare readonly text: string
  /**
   * What is wrong. Where `path` names the place, this is the sentence without its subject, for tools that show the place
   * in their own way: `is one of "base", "fail", received "bse"`. Else it is the same as `text`.
   */
  declare readonly problem: string
  /** Which value is wrong; empty where the error is not about one value. */
  declare readonly path: OptionPath
  /** The known name that was probably meant. */
  declare readonly suggestion: string | undefined

  /**
   * @param code - stable identifier
   * @param message - what happened, with the received value and a hint; the code is put in front of it
   */
  constructor(code: LanewayErrorCode, message: string, options: LanewayErrorOptions = {}) {
    super(`${code}: ${message}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'LanewayError'
    this.code = code
    // Not enumerable: Node prints enumerable properties behind the stack, where they would only repeat the message.
    Object.defineProperty(this, 'text', { value: message })
    Object.defineProperty(this, 'problem', { value: options.problem ?? message })
    Object.defineProperty(this, 'suggestion', { value: options.suggestion })
    Object.defineProperty(this, 'path', { value: options.path ?? NO_PATH })
  }
}

const NO_PATH: OptionPath = Object.freeze([])
