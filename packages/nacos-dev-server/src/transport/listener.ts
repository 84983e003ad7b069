import { createServer, type Server, type Socket } from 'node:net'
import { DevServerError } from '../error.js'

/** A TCP port that can refuse connections for a while and listen again. */
export class Listener {
  readonly sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0

  constructor(
    private readonly host: string,
    private readonly onSocket: (socket: Socket) => void,
  ) {}

  get port(): number {
    return this.#port
  }

  get listening(): boolean {
    return this.#server !== undefined
  }

  /** Throws a {@link DevServerError} `LANEWAY_DEV_SERVER_LISTEN`, its `cause` being the system's error. */
  async listen(port: number): Promise<void> {
    const server = createServer(socket => {
      socket.setNoDelay(true)
      // Whoever serves the socket sees the error too; here it must only not end the process.
      socket.on('error', () => {})
      socket.once('close', () => this.sockets.delete(socket))
      this.sockets.add(socket)
      this.onSocket(socket)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        reject(
          new DevServerError('LANEWAY_DEV_SERVER_LISTEN', `cannot listen on ${this.host}:${port}: ${explain(cause)}`, {
            cause,
          }),
        )
      })
      server.listen(port, this.host, resolve)
    })
    const address = server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : port
    this.#server = server
  }

  /** New connections are refused; open ones live on. */
  refuse(): void {
    // The callback would wait for the last connection; the port is free at once.
    this.#server?.close()
    this.#server = undefined
  }
}

function explain(cause: NodeJS.ErrnoException): string {
  if (cause.code === 'EADDRINUSE') return 'the port is taken'
  if (cause.code === 'EACCES') return 'not allowed'
  return cause.message
}
