import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** How long one side stays open after the other has closed: for data in flight, and for a closing handshake. */
const HALF_OPEN_MS = 1000

/**
 * Answers an upgrade request with the upstream's answer, and joins the two connections until either ends.
 *
 * @param headers - of the upstream's 101, without those of its connection
 * @param head - what the client sent behind its request
 * @param ended - called once, when both connections are closed
 */
export function joinSockets(
  client: Socket,
  upstream: Duplex,
  headers: readonly string[],
  head: Buffer | undefined,
  ended: () => void,
): { toClient: number } {
  const bytes = { toClient: 0 }
  let text = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n'
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`
  client.write(`${text}\r\n`, 'latin1')
  if (head !== undefined && head.length > 0) upstream.write(head)

  let open = 2
  const closed = (): void => {
    if (--open > 0) return
    bytes.toClient = client.bytesWritten
    ended()
  }
  // `pipe` passes an end on; an error or a close ends both.
  client
    .on('end', () => endSoon(client, upstream))
    .on('error', () => upstream.destroy())
    .on('close', () => {
      upstream.destroy()
      closed()
    })
  upstream
    .on('error', () => client.destroy())
    .on('close', () => {
      client.destroySoon()
      endSoon(client)
      closed()
    })
  client.setTimeout(0)
  client.setNoDelay(true)
  client.pipe(upstream)
  upstream.pipe(client)
  return bytes
}

/** Closes sides that do not close by themselves in time, because the other side has left. */
function endSoon(...sides: readonly Duplex[]): void {
  const timer = setTimeout(() => {
    for (const side of sides) side.destroy()
  }, HALF_OPEN_MS).unref()
  for (const side of sides) side.once('close', () => clearTimeout(timer))
}
