import { runInLane } from '@laneway/core'

/** A server sends a change to its subscribers within a second; one that it has not sent by then was lost. */
const PUSH_MS = 5_000

/**
 * Asks the server again about what it should have pushed, in case a push was lost: one thing at a time, in turn. A thousand
 * processes that ask for all of their services at once would be a load without use. When a turn finds a change that was not
 * pushed, pushes have stopped; then each turn asks for everything, until the next push.
 */
export class Rechecks {
  readonly #intervalMs: number
  readonly #random: () => number
  /** In the order of their turns. */
  readonly #checks = new Map<string, () => void>()
  #turn: NodeJS.Timeout | undefined
  #wait: NodeJS.Timeout | undefined
  #deaf = false

  constructor(intervalMs: number, random: () => number) {
    this.#intervalMs = intervalMs
    this.#random = random
  }

  add(key: string, check: () => void): void {
    this.#checks.set(key, check)
    if (this.#turn === undefined) this.#plan()
  }

  remove(key: string): void {
    this.#checks.delete(key)
  }

  /** The server pushed something. */
  heard(): void {
    clearTimeout(this.#wait)
    this.#wait = undefined
    this.#deaf = false
  }

  /** The server has something new that it did not push, or has not pushed yet. */
  found(): void {
    this.#wait ??= setTimeout(() => {
      this.#wait = undefined
      this.#deaf = true
      this.#askAll()
    }, PUSH_MS).unref()
  }

  close(): void {
    clearTimeout(this.#turn)
    clearTimeout(this.#wait)
    this.#checks.clear()
  }

  #plan(): void {
    // The first user may be inside a request; the turns belong to no lane.
    const delayMs = this.#intervalMs * (1 + this.#random() / 2)
    this.#turn = runInLane(undefined, () => setTimeout(() => this.#next(), delayMs).unref())
  }

  #next(): void {
    this.#turn = undefined
    if (this.#deaf) this.#askAll()
    else this.#askFirst()
    if (this.#checks.size > 0) this.#plan()
  }

  #askFirst(): void {
    const [first] = this.#checks
    if (first === undefined) return
    const [key, check] = first
    this.#checks.delete(key)
    this.#checks.set(key, check)
    check()
  }

  #askAll(): void {
    for (const check of [...this.#checks.values()]) check()
  }
}
