import type { FaultRules } from '../faults/fault-rules.js'
import type { NacosDevServerOptions } from '../options.js'
import type { Timers } from '../timers.js'
import type { BiStream } from '../transport/grpc-endpoint.js'
import type { Payload } from '../transport/payload.js'
import type { Session } from './session.js'

interface OutletParts {
  readonly clientIp: string
  readonly rules: FaultRules
  readonly timers: Timers
  readonly onMessage: NacosDevServerOptions['onMessage']
}

/** Sends all messages of the server, so that every message passes the faults. */
export interface Outlet {
  /** Answers a unary request. */
  readonly answer: (
    session: Session,
    request: Payload,
    type: string,
    body: object,
    write: (payload: Payload) => void,
  ) => void
  /** Sends on the stream that gets the pushes; false when there is none. */
  readonly push: (session: Session, type: string, body: object) => boolean
  /** Sends on a given stream. */
  readonly pushOn: (session: Session, stream: BiStream, type: string, body: object) => void
  /** Shows a message that came in. */
  readonly seen: (session: Session, via: 'unary' | 'stream', payload: Payload) => void
}

export function createOutlet({ clientIp, rules, timers, onMessage }: OutletParts): Outlet {
  const noHeaders: ReadonlyMap<string, string> = new Map()
  const toPayload = (type: string, body: object): Payload => ({
    type,
    headers: noHeaders,
    clientIp,
    body: Buffer.from(JSON.stringify(body)),
  })
  const send = (session: Session, via: 'unary' | 'stream', payload: Payload, write: () => void, ms = 0): void => {
    const now = (): void => {
      // A message that was delayed when the connection froze is lost, too.
      if (session.frozen) return
      onMessage?.({ from: 'server', via, connectionId: session.id, type: payload.type, body: payload.body.toString() })
      write()
    }
    if (ms > 0) timers.after(ms, now)
    else now()
  }

  const pushOn: Outlet['pushOn'] = (session, stream, type, body) => {
    if (rules.take('drop-push', session, type) !== undefined) return
    const payload = toPayload(type, body)
    send(session, 'stream', payload, () => stream.write(payload), rules.take('delay-push', session, type)?.ms)
  }

  return {
    answer: (session, request, type, body, write) => {
      if (rules.take('drop-answer', session, request.type) !== undefined) return
      const payload = toPayload(type, body)
      send(session, 'unary', payload, () => write(payload), rules.take('delay-answer', session, request.type)?.ms)
    },
    push: (session, type, body) => {
      if (session.stream === undefined || !session.streaming || session.expelled) return false
      pushOn(session, session.stream, type, body)
      return true
    },
    pushOn,
    seen: (session, via, payload) =>
      onMessage?.({ from: 'client', via, connectionId: session.id, type: payload.type, body: payload.body.toString() }),
  }
}
