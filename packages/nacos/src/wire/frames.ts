const PREFIX_BYTES = 5

/** Puts gRPC's length prefix before a message: one byte of flags (0: not compressed), four of length. */
export function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/**
 * Cuts a byte stream into gRPC messages, whatever the chunks are. Chunks are joined once per message, so that a push of
 * megabytes in 16 KiB pieces costs one copy.
 *
 * @see https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests
 */
export class FrameReader {
  readonly #maxBytes: number
  readonly #onMessage: (message: Buffer) => void
  #chunks: Buffer[] = []
  #buffered = 0
  /** Bytes of the next frame with its prefix; 0 while the prefix is incomplete. */
  #wanted = 0

  constructor(maxBytes: number, onMessage: (message: Buffer) => void) {
    this.#maxBytes = maxBytes
    this.#onMessage = onMessage
  }

  /** @throws RangeError for a compressed message (none was offered) or one over the limit */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    while (this.#buffered >= PREFIX_BYTES) {
      if (this.#wanted === 0) this.#wanted = this.#readPrefix()
      if (this.#buffered < this.#wanted) return
      const bytes = this.#joined()
      const end = this.#wanted
      this.#chunks = bytes.length > end ? [bytes.subarray(end)] : []
      this.#buffered -= end
      this.#wanted = 0
      this.#onMessage(bytes.subarray(PREFIX_BYTES, end))
    }
  }

  #readPrefix(): number {
    const first = this.#chunks[0]!
    const head = first.length >= PREFIX_BYTES ? first : this.#joined()
    if (head[0] !== 0)
      throw new RangeError(`the peer sent a compressed message (flag ${head[0]}), which was not offered`)
    const length = head.readUInt32BE(1)
    if (length > this.#maxBytes)
      throw new RangeError(`the peer sent ${length} bytes, over the limit of ${this.#maxBytes}`)
    return PREFIX_BYTES + length
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]!
  }
}
