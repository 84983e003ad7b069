import type { Socket } from 'node:net'
import { resumeSocket } from './resume-socket.js'

/** Bytes that a client may send before its upgrade is answered; after that the gateway stops reading. */
const MAX_BYTES = 64 * 1024

/**
 * Reads what comes behind the head of an upgrade request until its upstream has answered. Without reading, the gateway
 * would not notice that the client leaves.
 */
export class EarlyData {
  readonly #socket: Socket
  readonly #chunks: Buffer[] = []
  #bytes = 0

  /** @param head - what came with the request */
  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket
    socket.on('data', this.#take).on('end', this.#left)
    resumeSocket(socket)
    if (head.length > 0) this.#take(head)
  }

  /** Stops reading, and returns what was read. */
  take(): Buffer {
    this.#socket.off('data', this.#take).off('end', this.#left)
    this.#socket.pause()
    return Buffer.concat(this.#chunks)
  }

  readonly #take = (chunk: Buffer): void => {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > MAX_BYTES) this.#socket.pause()
    else this.#socket.resume()
  }

  readonly #left = (): void => {
    this.#socket.destroy()
  }
}
