import type { Session } from '../session/session.js'
import type { Answer } from './answer.js'

/** A parsed request body. */
export type RequestBody = Readonly<Record<string, unknown>>

/** One kind of request. */
export interface RequestHandler {
  /** The type of its answer, also when it is refused for want of permission. */
  readonly answer: string
  /** What a user must be allowed to; `none`: served without a token. */
  readonly action: 'none' | 'read' | 'write'
  /** Fields that the answer carries even when it is refused. */
  readonly refusedFields?: Readonly<Record<string, unknown>>
  readonly handle: (body: RequestBody, session: Session) => Answer
}
