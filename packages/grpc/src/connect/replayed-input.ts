/** How many messages are kept for another endpoint. A transport asks for few before it has a connection. */
const MAX_KEPT = 16

/**
 * The messages of a call. Another transport can read them from the first one again. While the call may still move to another
 * endpoint, the source does not see how a transport stops (connect throws its error into the messages); {@link close} ends
 * the source.
 */
export class ReplayedInput<T> implements AsyncIterable<T> {
  readonly #source: AsyncIterator<T>
  /** Promises: a transport that failed may still wait for a message, and the next transport must get that message. */
  readonly #kept: Promise<IteratorResult<T>>[] = []
  #whole = true
  #reader = 0

  constructor(source: AsyncIterable<T>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Whether the messages asked for so far can be repeated. */
  get whole(): boolean {
    return this.#whole
  }

  /** From now on the messages belong to the transport that reads them. */
  commit(): void {
    this.#whole = false
  }

  /** The call is over before it had an answer. */
  close(): void {
    this.#whole = false
    this.#source.return?.()?.catch(() => {})
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const reader = ++this.#reader
    const kept = this.#kept
    let at = 0
    return {
      next: async () => {
        // A transport that failed gets no more messages.
        if (reader !== this.#reader) return { done: true, value: undefined }
        const known = kept[at++]
        if (known !== undefined) return known
        const next = this.#source.next()
        if (this.#whole && kept.push(next) > MAX_KEPT) this.#whole = false
        return next
      },
      return: async value => {
        if (reader === this.#reader && !this.#whole) await this.#source.return?.(value)
        return { done: true, value }
      },
      throw: async error => {
        if (reader === this.#reader && !this.#whole) await this.#source.throw?.(error)
        throw error
      },
    }
  }
}
