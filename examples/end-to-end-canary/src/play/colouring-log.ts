import type { Colouring } from './entrance-rules.js'

/** An entrance looks at its rules every tenth of a second, or every second with `--register`; with time for a busy machine. */
const KNOWN_AFTER_MS = 1500

/** Who was coloured when, for the judgement of what came of it. */
export class ColouringLog {
  readonly #entries: { readonly at: number; readonly colouring: Colouring }[] = []

  note(colouring: Colouring): void {
    if (this.#entries.at(-1)?.colouring !== colouring) this.#entries.push({ at: Date.now(), colouring })
  }

  /** What may have held for a request. */
  during(sentAt: number, doneAt: number): ReadonlySet<Colouring> {
    const found = new Set<Colouring>()
    for (const [index, { at, colouring }] of this.#entries.entries()) {
      const until = this.#entries[index + 1]?.at ?? Infinity
      if (at <= doneAt && until + KNOWN_AFTER_MS >= sentAt) found.add(colouring)
    }
    if (found.size === 0) found.add('nobody')
    return found
  }
}
