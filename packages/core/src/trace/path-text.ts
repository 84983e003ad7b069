import type { LanePath, PathCall } from './lane-path.js'

/**
 * A path as a tree for people, one line for each process and call: name, lane that served, address, outcome, status, time.
 */
export function formatPath(path: LanePath): string {
  const rows: string[][] = []
  addCalls(rows, path, '')
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length)
  }
  const lines = rows.map(row => {
    const cells = row.map((cell, index) => (index < 4 ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!)))
    return cells.join('  ').trimEnd()
  })
  return `${[rootLine(path), ...lines].join('\n')}\n`
}

function rootLine({ service, ownLane, lane, by }: LanePath): string {
  const how = by === undefined ? '' : `  ${by.startsWith('rule ') ? `rule "${by.slice(5)}"` : by}`
  return `${service}${ownLane === undefined ? '' : `  ${ownLane}`}${how}  -> ${lane === undefined ? 'no lane' : `lane ${lane}`}`
}

function addCalls(rows: string[][], { calls, cut }: LanePath, indent: string): void {
  calls.forEach((call, index) => {
    const last = index === calls.length - 1 && cut === 0
    rows.push(rowOf(call, `${indent}${last ? '└─ ' : '├─ '}`))
    if (call.path !== undefined) addCalls(rows, call.path, `${indent}${last ? '   ' : '│  '}`)
  })
  if (cut > 0) rows.push([`${indent}└─ … ${cut} more ${cut === 1 ? 'call' : 'calls'}`])
}

function rowOf(call: PathCall, branch: string): string[] {
  const { address, outcome, attempt, status, ms } = call
  const time = ms === undefined ? '' : `${ms} ms`
  const name = `${branch}${nameOf(call)}${attempt > 1 ? ` (attempt ${attempt})` : ''}`
  return [name, laneCell(call), address ?? '', outcomeWords(outcome), String(status), time]
}

function nameOf({ target, outcome, path }: PathCall): string {
  return outcome === 'message' ? `sent to ${target}` : (path?.service ?? target)
}

/** The lane that served; also that of the instance where it says another one. */
function laneCell(call: PathCall): string {
  const served = laneOf(call)
  if (served === undefined || call.path === undefined) return served ?? ''
  const own = call.path.ownLane ?? 'base'
  return own === served ? served : `${served}, says ${own}`
}

function outcomeWords(outcome: string): string {
  if (outcome === 'out-of-scope') return 'out of scope, no tag'
  return outcome === 'message' ? 'the path ends' : outcome
}

/** `undefined` where a call has no lane that served it. */
function laneOf({ outcome, served, address, path }: PathCall): string | undefined {
  if (served !== undefined) return served
  if (outcome === 'out-of-scope' || outcome === 'message') return undefined
  if (outcome === 'forwarded') return path === undefined ? undefined : (path.ownLane ?? 'base')
  return address === undefined && path === undefined && outcome !== 'base' ? undefined : 'base'
}

/**
 * A path on one line, without addresses and times, so that equal ways are equal texts:
 * `gateway[base] -> sc-A[gray] -> (sc-B[base] -> sc-C[gray], api.example.com)`. A call that failed says how: `sc-B[base]!503`.
 * Calls that ran at the same time stand in the order of the alphabet.
 */
export function summaryOfPath(path: LanePath): string {
  return `${path.service}[${path.ownLane ?? 'base'}]${summaryOfCalls(path)}`
}

function summaryOfCalls({ calls, cut }: LanePath): string {
  const texts = inOrder(calls)
  if (cut > 0) texts.push(`${cut} more`)
  if (texts.length === 0) return ''
  return ` -> ${texts.length === 1 ? texts[0] : `(${texts.join(', ')})`}`
}

function inOrder(calls: readonly PathCall[]): string[] {
  const texts: string[] = []
  let together: string[] = []
  let end = -1
  for (const call of calls) {
    if (call.at >= end) {
      texts.push(...together.sort())
      together = []
    }
    together.push(summaryOfCall(call))
    end = Math.max(end, call.ms === undefined ? Number.POSITIVE_INFINITY : call.at + call.ms)
  }
  return [...texts, ...together.sort()]
}

function summaryOfCall(call: PathCall): string {
  const { status, path } = call
  const lane = laneOf(call)
  return `${nameOf(call)}${lane === undefined ? '' : `[${lane}]`}${isGood(status) ? '' : `!${status}`}${path === undefined ? '' : summaryOfCalls(path)}`
}

function isGood(status: number | string): boolean {
  if (typeof status === 'number') return status < 400
  return status === 'grpc 0' || status === 'sent' || status === 'open'
}
