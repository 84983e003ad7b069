import type { Socket } from 'node:net'
import { Session } from './session.js'

/** The connections, by the far side's address and by id. */
export class SessionTable {
  readonly #byPeer = new Map<string, Session>()
  readonly #byId = new Map<string, Session>()

  /** Opens a session for a new connection; `onEnd` is called once, when the connection ends in any way. */
  open(socket: Socket, now: number, onEnd: (session: Session) => void): Session {
    const session = new Session(socket, now)
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    this.#byPeer.set(peer, session)
    this.#byId.set(session.id, session)
    socket.once('close', () => {
      this.#byPeer.delete(peer)
      this.#byId.delete(session.id)
      onEnd(session)
    })
    return session
  }

  byPeer(peer: string): Session | undefined {
    return this.#byPeer.get(peer)
  }

  byId(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  all(): readonly Session[] {
    return [...this.#byId.values()]
  }
}
