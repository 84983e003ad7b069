import type { Fault } from './faults.js'
import type { Sample } from './load.js'

/** A request that took longer has noticed something: a hop waits 1000 ms for the head of a response. */
export const NOTICED_MS = 900
/** While no more than that share of the requests of a second notice a fault, it is over: what remains are single trials. */
const NOTICED_SHARE = 0.01
const LEAST_NOTICED = 2
const NAME_WIDTH = 29
/** Over so long the load has to have its rate. */
const RATE_SPAN_MS = 10_000

/** From the begin of faults until all is calm again. */
export interface Window {
  readonly fault: Fault
  readonly faults: number
  readonly from: number
  /** When it was ended. */
  ended: number
  to: number
}

/** What the rows come to. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

const HEADS = ['faults', 'requests', 'failed', 'wrong', 'noticed', 'p99 recovery', 'bound']

/** Prints the table. @param rate - that the load has to have throughout */
export function report(
  kinds: readonly Fault[],
  windows: readonly Window[],
  all: readonly Sample[],
  rate: number,
): Counts {
  const samples = [...all].sort((a, b) => a.sentAt - b.sentAt)
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  const row = (name: string, cells: readonly (string | number)[], well: boolean) => {
    counts[well ? 'passed' : 'failed']++
    const text = cells.map((cell, index) => String(cell).padStart(HEADS[index]!.length + 3)).join('')
    console.log(`${name.padEnd(NAME_WIDTH)}${text}${well ? '' : '  FAILED'}`)
  }
  console.log(`\n${'fault'.padEnd(NAME_WIDTH)}${HEADS.map(head => `   ${head}`).join('')}`)
  const most = Math.max(LEAST_NOTICED, Math.floor(rate * NOTICED_SHARE))
  for (const fault of kinds) {
    const mine = windows.filter(window => window.fault === fault)
    const sum = { faults: 0, sent: 0, failed: 0, wrong: 0, noticed: 0 }
    const recoveries: number[] = []
    for (const window of mine) {
      const within = samples.filter(({ sentAt }) => sentAt >= window.from && sentAt < window.to)
      const noticed = within.filter(one => one.failed || one.wrong || one.tookMs > NOTICED_MS)
      sum.faults += window.faults
      sum.sent += within.length
      sum.failed += within.filter(one => one.failed).length
      sum.wrong += within.filter(one => one.wrong).length
      sum.noticed += noticed.length
      // Where nothing may fail, a machine that was busy for a moment is no fault of Laneway.
      const bad = fault.boundMs === 0 ? noticed.filter(one => one.failed || one.wrong) : noticed
      const recovery = recoveryOf(bad, window, fault.boundMs === 0 ? 0 : most)
      for (let count = 0; count < window.faults; count++) recoveries.push(recovery)
    }
    recoveries.sort((a, b) => a - b)
    const p99 = recoveries[Math.ceil(recoveries.length * 0.99) - 1] ?? 0
    const { boundMs } = fault
    const well = mine.length > 0 && sum.failed === 0 && sum.wrong === 0 && !(boundMs !== undefined && p99 > boundMs)
    const bound = boundMs === undefined ? '-' : `${boundMs} ms`
    row(fault.name, [sum.faults, sum.sent, sum.failed, sum.wrong, sum.noticed, `${p99} ms`, bound], well)
  }
  const slowest = lowestRate(samples, windows)
  const outside = samples.filter(({ sentAt }) => !windows.some(({ from, to }) => sentAt >= from && sentAt < to))
  const bad = outside.filter(one => one.failed || one.wrong).length
  console.log(
    `\n${samples.length} requests, at least ${slowest.toFixed(0)} a second over any 10 s; ${bad} failed between faults`,
  )
  if (slowest < rate) console.log(`! ${rate} a second were asked for: the machine is too busy`)
  counts[slowest < rate || bad > 0 ? 'failed' : 'passed']++
  const whys = new Map<string, number>()
  for (const { failed, wrong, why } of samples) if (failed || wrong) whys.set(why, (whys.get(why) ?? 0) + 1)
  for (const [why, times] of [...whys].slice(0, 15)) console.log(`! ${times} times: ${why}`)
  return counts
}

/** From the begin of a fault to the last request that noticed it together with more than `most` others of its second. */
function recoveryOf(noticed: readonly Sample[], window: Window, most: number): number {
  for (let index = noticed.length - 1; index >= most; index--) {
    const one = noticed[index]!
    // What comes after its end comes of processes that start, which cost the machine what a request then waits for.
    if (!one.failed && !one.wrong && one.sentAt >= window.ended) continue
    if (one.sentAt - noticed[index - most]!.sentAt < 1000) return one.sentAt - window.from + 1
  }
  return 0
}

function lowestRate(samples: readonly Sample[], windows: readonly Window[]): number {
  const from = windows[0]!.from
  const to = windows.at(-1)!.to
  const perSecond = new Array<number>(Math.max(1, Math.floor((to - from) / 1000))).fill(0)
  for (const { sentAt } of samples) {
    const second = Math.floor((sentAt - from) / 1000)
    if (second >= 0 && second < perSecond.length) perSecond[second]!++
  }
  const span = Math.min(perSecond.length, RATE_SPAN_MS / 1000)
  let lowest = Number.POSITIVE_INFINITY
  for (let at = 0; at + span <= perSecond.length; at++) {
    const sum = perSecond.slice(at, at + span).reduce((a, b) => a + b, 0)
    lowest = Math.min(lowest, sum / span)
  }
  return lowest
}
