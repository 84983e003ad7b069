/** Codes of {@link DevServerError}. */
export type DevServerErrorCode =
  /** An option that the server cannot use. */
  | 'LANEWAY_INVALID_OPTION'
  /** A port that is taken or may not be used. */
  | 'LANEWAY_DEV_SERVER_LISTEN'
  /** `until` waited in vain. */
  | 'LANEWAY_DEV_SERVER_TIMEOUT'

/** The one error class of this package, which shares no code with the packages that it tests. */
export class DevServerError extends Error {
  override readonly name = 'DevServerError'

  constructor(
    readonly code: DevServerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
