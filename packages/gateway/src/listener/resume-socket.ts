import type { Socket } from 'node:net'

/** What a socket of Node has besides its types. */
type ReadingSocket = Socket & {
  readonly _handle?: { readonly reading?: boolean } | null
}

/**
 * Reads on from a connection that Node's HTTP parser has let go of. The parser stops and starts the handle itself, and the
 * stream does not know: when it was stopped, `resume()` alone would read nothing, not even that the client leaves.
 */
export function resumeSocket(socket: Socket): void {
  socket.resume()
  if ((socket as ReadingSocket)._handle?.reading === false) socket._read(0)
}
