import type { Payload } from '../transport/payload.js'
import type { Session } from './session.js'

/** How a push ended: acknowledged, answered with anything else, not answered in time, or the connection went away. */
export type PushEnd = 'acknowledged' | 'refused' | 'unanswered' | 'gone'

/** Sends one message on the stream of a session; false when the session has no open stream. */
export type Send = (session: Session, type: string, body: object) => boolean

interface PendingPush {
  readonly session: Session
  readonly settle: (end: PushEnd) => void
}

/** Sends server requests over the streams and matches the answers by `requestId`. */
export class Pusher {
  readonly #pending = new Map<string, PendingPush>()
  #lastId = 0

  constructor(
    private readonly send: Send,
    private readonly answerTimeoutMs: number,
  ) {}

  /** Resolves when the client has answered, or not. Never rejects. */
  push(session: Session, type: string, body: object, answerTimeoutMs = this.answerTimeoutMs): Promise<PushEnd> {
    return new Promise(resolve => {
      const requestId = String(++this.#lastId)
      const timer = setTimeout(() => settle('unanswered'), answerTimeoutMs)
      const settle = (end: PushEnd): void => {
        clearTimeout(timer)
        this.#pending.delete(requestId)
        resolve(end)
      }
      this.#pending.set(requestId, { session, settle })
      if (!this.send(session, type, { headers: {}, requestId, ...body })) settle('gone')
    })
  }

  /** Takes a client's answer. A wrong `requestId` answers nothing, as on a real server. */
  onAnswer(session: Session, payload: Payload): void {
    const answer = parseAnswer(payload.body)
    const pending = this.#pending.get(answer.requestId)
    if (pending?.session === session) pending.settle(answer.resultCode === 200 ? 'acknowledged' : 'refused')
  }

  /** Ends every push that is still owed an answer. */
  close(): void {
    for (const pending of [...this.#pending.values()]) pending.settle('gone')
  }

  /** Ends the pushes that a connection still owes an answer to. */
  dropSession(session: Session): void {
    for (const pending of [...this.#pending.values()]) if (pending.session === session) pending.settle('gone')
  }
}

function parseAnswer(body: Buffer): { requestId: string; resultCode: unknown } {
  try {
    const value = JSON.parse(body.toString())
    return { requestId: String(value?.requestId), resultCode: value?.resultCode }
  } catch {
    return { requestId: '', resultCode: undefined }
  }
}
