import fc from 'fast-check'

/** How much of it. */
export interface Scale {
  /** Random inputs of a property. */
  readonly runs: number
  readonly long: boolean
  /** Repeats a run; fast-check chooses one when absent. */
  readonly seed: number | undefined
  /** Repeats one connection of the gateway's cases. */
  readonly connection?: number | undefined
}

/** One row of the table. */
export interface FuzzCase {
  /** What must hold. */
  readonly name: string
  /** @returns how many inputs were tried; throws when it does not hold */
  run(scale: Scale): number | Promise<number>
}

/**
 * A rule that every input obeys. What the rule throws is a counterexample, shrunk and shown with its seed.
 *
 * @param share - of the runs of the scale, for rules that are slow
 */
export function property<T>(name: string, inputs: fc.Arbitrary<T>, rule: (input: T) => void, share = 1): FuzzCase {
  return {
    name,
    run({ runs, seed }) {
      const numRuns = Math.ceil(runs * share)
      fc.assert(fc.property(inputs, rule), { numRuns, ...(seed === undefined ? {} : { seed }) })
      return numRuns
    },
  }
}

/** Rows of a table: an input and what must come of it. */
export function rows<T extends { readonly name: string }>(
  name: string,
  list: readonly T[],
  check: (row: T) => void | Promise<void>,
): FuzzCase {
  return {
    name,
    async run() {
      const wrong: string[] = []
      for (const row of list) {
        try {
          await check(row)
        } catch (error) {
          wrong.push(`${row.name}: ${(error as Error).message}`)
        }
      }
      if (wrong.length > 0) throw new Error(wrong.join('\n'))
      return list.length
    },
  }
}

const SMALL = 128 * 1024
const LARGE = 1024 * 1024
/** Eight times the input may cost three times eight times as much; quadratic growth would be 64 times. */
const GROWTH = 24
/** CPU time below which a comparison says nothing. */
const NOTHING_MS = 60
/** What a collection of garbage at the wrong moment may add. */
const LEAST_MS = 10

/**
 * That an input of 1 MB costs CPU time in proportion to one of 128 kB.
 *
 * @param make - an input of about so many bytes
 */
export function linear<T>(name: string, make: (bytes: number) => T, run: (input: T) => unknown): FuzzCase {
  return {
    name: `${name}, 1 MB`,
    async run() {
      await cost(run, make(1024))
      const large = await cost(run, make(LARGE))
      if (large <= NOTHING_MS) return 1
      const small = Math.max(await cost(run, make(SMALL)), await cost(run, make(SMALL)), LEAST_MS)
      if (large > GROWTH * small) {
        throw new Error(`128 kB cost ${small.toFixed(1)} ms of CPU, 1 MB ${large.toFixed(1)} ms`)
      }
      return 2
    },
  }
}

/** Of the input; several go into a sample, so that it is long against the clock. */
const PIECE = 16 * 1024
const SAMPLE_NS = 1_000_000
const SAMPLES = 10
/**
 * What a byte of hostile input may cost a reader, in bytes of ordinary input. A whole request has costs beside its readers:
 * there the multiple is smaller, and the benchmark `hostile` holds it to 5.
 */
const MOST_TIMES = 10

/**
 * That 16 kB of input cost at most {@link MOST_TIMES} times as much as 16 kB of ordinary input in the same run. Samples of
 * both alternate, and the least of each counts: what else runs on the machine only adds. A ratio above the limit is
 * measured again, twice.
 *
 * @param hostile - makes an input of about so many bytes; each call another text, since the last one is remembered
 * @param ordinary - the same, as honest clients send it
 */
export function perByte(
  name: string,
  hostile: (bytes: number, index: number) => string,
  ordinary: (bytes: number, index: number) => string,
  run: (input: string) => unknown,
): FuzzCase {
  return {
    name: `${name}, cost of a byte`,
    run() {
      let times = 0
      for (let attempt = 0; attempt < 3; attempt++) {
        times = timesOf(run, hostile, ordinary)
        if (times <= MOST_TIMES) return 2
      }
      throw new Error(`a byte costs ${times.toFixed(1)} times a byte of ordinary input, at most ${MOST_TIMES}`)
    },
  }
}

type Make = (bytes: number, index: number) => string

function timesOf(run: (input: string) => unknown, hostile: Make, ordinary: Make): number {
  const inputs = [hostile, ordinary].map(make => [0, 1, 2, 3].map(index => make(PIECE, index)))
  const calls = inputs.map(list => callsOf(run, list))
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let sample = 0; sample < SAMPLES; sample++) {
    for (const side of [0, 1]) least[side] = Math.min(least[side]!, timeOf(run, inputs[side]!, calls[side]!))
  }
  return least[0]! / least[1]!
}

/** Compiles, and says how many calls fill a sample. */
function callsOf(run: (input: string) => unknown, inputs: readonly string[]): number {
  let least = Number.POSITIVE_INFINITY
  const end = performance.now() + 20
  do least = Math.min(least, timeOf(run, inputs, 4))
  while (performance.now() < end)
  return Math.max(4, Math.min(4096, Math.ceil(SAMPLE_NS / least)))
}

/** Nanoseconds of a call. */
function timeOf(run: (input: string) => unknown, inputs: readonly string[], calls: number): number {
  const start = process.hrtime.bigint()
  for (let call = 0; call < calls; call++) run(inputs[call & 3]!)
  return Number(process.hrtime.bigint() - start) / calls
}

async function cost<T>(run: (input: T) => unknown, input: T): Promise<number> {
  const before = process.cpuUsage()
  await run(input)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Throws unless it holds. */
export function must(holds: boolean, text: string): asserts holds {
  if (!holds) throw new Error(text)
}

/** Throws unless both are equal as JSON. */
export function same(actual: unknown, expected: unknown, what = 'result'): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  must(a === b, `${what}: ${a} instead of ${b}`)
}
