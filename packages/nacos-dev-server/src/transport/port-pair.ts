import type { Socket } from 'node:net'
import { Listener } from './listener.js'

/** gRPC is expected this far above the HTTP port. */
const GRPC_OFFSET = 1000

/** Which of the two ports is meant. */
export type Side = 'http' | 'grpc'

interface PortPairOptions {
  readonly host: string
  readonly port: number
  readonly onHttp: (socket: Socket) => void
  readonly onGrpc: (socket: Socket) => void
}

/** The HTTP port and the gRPC port. */
export class PortPair {
  readonly http: Listener
  readonly grpc: Listener

  constructor(private readonly options: PortPairOptions) {
    this.http = new Listener(options.host, options.onHttp)
    this.grpc = new Listener(options.host, options.onGrpc)
  }

  /** Listens on both; after the first time on the same ports again. */
  async listen(): Promise<void> {
    const port = this.http.port || this.options.port
    for (let attempt = 1; ; attempt++) {
      await this.http.listen(port)
      try {
        await this.grpc.listen(this.http.port + GRPC_OFFSET)
        return
      } catch (error) {
        this.http.refuse()
        // A free port whose neighbour is taken, or beyond the last: look for another pair.
        if (port !== 0 || attempt === 50) throw error
      }
    }
  }

  /** Listens again where connections were refused. */
  async accept(): Promise<void> {
    if (!this.http.listening) await this.http.listen(this.http.port)
    if (!this.grpc.listening) await this.grpc.listen(this.grpc.port)
  }

  /** New connections are refused; open ones live on. */
  refuse(sides: readonly Side[] = ['http', 'grpc']): void {
    for (const side of sides) this[side].refuse()
  }

  /** Ends every open connection and waits until it has. */
  async disconnect(): Promise<void> {
    const open = [...this.http.sockets, ...this.grpc.sockets]
    await Promise.all(
      open.map(socket => {
        const closed = new Promise(resolve => socket.once('close', resolve))
        socket.destroy()
        return closed
      }),
    )
  }
}
