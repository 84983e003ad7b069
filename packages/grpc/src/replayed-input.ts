/** Messages that are kept for another endpoint: a transport asks for few before it has a connection. */
const MAX_KEPT = 16

/** The messages of a call, which another transport may be given from the first one again. */
export class ReplayedInput<T> implements AsyncIterable<T> {
  readonly #source: AsyncIterator<T>
  #kept: IteratorResult<T>[] | undefined = []
  #reader = 0

  constructor(source: AsyncIterable<T>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Whether the messages asked for so far can be said again. */
  get whole(): boolean {
    return this.#kept !== undefined
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const reader = ++this.#reader
    let at = 0
    return {
      next: async () => {
        const known = this.#kept?.[at++]
        if (known !== undefined) return known
        // An endpoint that was given up gets nothing more.
        if (reader !== this.#reader) return { done: true, value: undefined }
        const result = await this.#source.next()
        if (this.#kept !== undefined && this.#kept.push(result) > MAX_KEPT) this.#kept = undefined
        return result
      },
      return: async value => {
        if (reader === this.#reader && !this.whole) await this.#source.return?.(value)
        return { done: true, value }
      },
      throw: async error => {
        if (reader === this.#reader) await this.#source.throw?.(error)
        throw error
      },
    }
  }
}
