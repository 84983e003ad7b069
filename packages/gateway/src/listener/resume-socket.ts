import type { Socket } from 'node:net'

/** A socket, with what Node knows of it besides its types. */
type ReadingSocket = Socket & {
  readonly _handle?: { readonly reading?: boolean } | null
}

/**
 * Reads on from a connection that Node's HTTP parser has released. The parser stops and starts the handle behind the back of
 * the stream: after a stop, `resume()` alone would read nothing, not even that the client leaves.
 */
export function resumeSocket(socket: Socket): void {
  socket.resume()
  if ((socket as ReadingSocket)._handle?.reading === false) socket._read(0)
}
