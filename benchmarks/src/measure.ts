import type { Figures, Row, Subject } from './case.js'
import { median, quantile } from './statistics.js'

/** A sample is long against the clock and short against a slice of the scheduler, so most samples are undisturbed. */
const SAMPLE_NS = 500_000
const WARM_MS = 120
const SAMPLES = 150
const MOST_MS = 400
const ALLOCATION_RUNS = 5

/** The last result of every case: what is kept cannot be optimised away. */
const kept: { result: unknown } = { result: undefined }

/** Runs one row in this process. The result is checked before anything is timed, and again after it. */
export async function measureRow(row: Row, quick: boolean): Promise<Figures> {
  if (row.measure !== undefined) return row.measure(quick)
  if (row.subject === undefined) throw new Error(`${row.name} has nothing to run`)
  const subject = await row.subject()
  try {
    await once(subject)
    subject.check(kept.result)
    if (quick) return { ns: Number.NaN }
    const figures = await sample(subject)
    subject.check(kept.result)
    return figures
  } finally {
    await subject.close?.()
  }
}

async function once(subject: Subject): Promise<void> {
  subject.prepare?.()
  kept.result = await subject.run()
}

async function sample(subject: Subject): Promise<Figures> {
  const ops = subject.ops ?? 1
  const oneCall = await warm(subject)
  // Where inputs are used up, a sample is one call; else as many as fill its time.
  const calls = subject.prepare === undefined ? Math.max(1, Math.round(SAMPLE_NS / oneCall)) : 1
  const times: number[] = []
  const end = performance.now() + MOST_MS
  while (times.length < SAMPLES && (times.length < 5 || performance.now() < end)) {
    subject.prepare?.()
    const start = process.hrtime.bigint()
    if (subject.asynchronous) for (let call = 0; call < calls; call++) kept.result = await subject.run()
    else for (let call = 0; call < calls; call++) kept.result = subject.run()
    times.push(Number(process.hrtime.bigint() - start) / (calls * ops))
  }
  return {
    ns: { value: median(times), raw: [quantile(times, 0.25), quantile(times, 0.75)] },
    bytes: await allocation(subject, ops),
  }
}

/** @returns nanoseconds of one call, once compiled */
async function warm(subject: Subject): Promise<number> {
  const end = performance.now() + WARM_MS
  let fastest = Number.POSITIVE_INFINITY
  do {
    subject.prepare?.()
    const start = process.hrtime.bigint()
    kept.result = subject.asynchronous ? await subject.run() : subject.run()
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - start))
  } while (performance.now() < end)
  return Math.max(fastest, 1)
}

/** Bytes an operation leaves to the collector. The young generation is large enough that none is collected meanwhile. */
async function allocation(subject: Subject, ops: number): Promise<number> {
  const calls = subject.prepare === undefined ? Math.max(1, Math.ceil(4096 / ops)) : 1
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < ALLOCATION_RUNS; run++) {
    subject.prepare?.()
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    if (subject.asynchronous) for (let call = 0; call < calls; call++) kept.result = await subject.run()
    else for (let call = 0; call < calls; call++) kept.result = subject.run()
    const grown = process.memoryUsage().heapUsed - before - MEMORY_USAGE_BYTES
    least = Math.min(least, grown / (calls * ops))
  }
  return Math.max(0, Math.round(least * 10) / 10)
}

const MEMORY_USAGE_BYTES = (() => {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < 20; run++) {
    const before = process.memoryUsage().heapUsed
    least = Math.min(least, Math.max(0, process.memoryUsage().heapUsed - before))
  }
  return least
})()
