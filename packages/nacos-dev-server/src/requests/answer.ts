/** What a handler answers: the message type and its fields beyond the envelope. */
export interface Answer {
  readonly type: string
  readonly body: Readonly<Record<string, unknown>>
}

/** As real servers, without `requestId` in the answer to a unary request. */
export function success(type: string, fields: Readonly<Record<string, unknown>> = {}): Answer {
  return { type, body: { resultCode: 200, errorCode: 0, ...fields, success: true } }
}

export function failure(
  type: string,
  errorCode: number,
  message: string,
  options: { resultCode?: number; fields?: Readonly<Record<string, unknown>> } = {},
): Answer {
  const { resultCode = 500, fields } = options
  return { type, body: { resultCode, errorCode, message, ...fields, success: false } }
}
