import type { Socket } from 'node:net'

const kGone = Symbol('laneway.gone')

interface Pooled {
  readonly freeSockets: { readonly [name: string]: readonly Socket[] | undefined }
}

/** The open connections to endpoints, so that they end when their endpoint has left. */
export class EndpointSockets {
  readonly #agent: Pooled
  /** Per address the sockets and the pool that each belongs to. An entry goes with its last socket. */
  readonly #byAddress = new Map<string, Map<Socket, string>>()

  constructor(agent: Pooled) {
    this.#agent = agent
  }

  /** @param pool - the name under which the agent keeps the socket */
  add(address: string, socket: Socket, pool: string): void {
    let sockets = this.#byAddress.get(address)
    if (sockets === undefined) {
      sockets = new Map()
      this.#byAddress.set(address, sockets)
    }
    sockets.set(socket, pool)
    const owner = sockets
    socket.once('close', () => {
      owner.delete(socket)
      if (owner.size === 0 && this.#byAddress.get(address) === owner) this.#byAddress.delete(address)
    })
  }

  /** Closes what is idle; what is in use ends with its request. */
  gone(address: string): void {
    const sockets = this.#byAddress.get(address)
    if (sockets === undefined) return
    for (const [socket, pool] of sockets) {
      ;(socket as Socket & { [kGone]?: true })[kGone] = true
      if (this.#agent.freeSockets[pool]?.includes(socket) === true) socket.destroy()
    }
  }

  /** Whether a socket that has become idle may be kept. */
  mayKeep(socket: Socket): boolean {
    return (socket as Socket & { [kGone]?: true })[kGone] !== true
  }
}
