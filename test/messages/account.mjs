// What became of every message that was sent.
import { readFileSync } from 'node:fs'

/** The lines of the members: `{ id, lane, side, member, at }`. */
export function readLog(log) {
  return readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [id, lane, side, member, at] = line.split(' ')
      return { id, lane: lane === '-' ? '' : lane, side, member, at: Number(at) }
    })
}

/**
 * Counts.
 *
 * @param sent - id to `{ lane, at, fails }`
 * @param alive - stretches in which a consumer of the lane lived for sure: `[from, to]`
 * @param beganAt - what was sent before the lane began is base's own, whenever base handles it
 */
export function account(sent, lines, alive = [], beganAt = 0) {
  const handled = new Map()
  for (const line of lines) {
    if (!handled.has(line.id)) handled.set(line.id, [])
    handled.get(line.id).push(line)
  }
  const count = {
    sent: sent.size,
    lost: 0,
    wrong: 0,
    tagLost: 0,
    doubled: 0,
    doubledByBoth: 0,
    grayByGray: 0,
    grayByBase: 0,
    grayByBaseWhileAlive: 0,
  }
  const latencies = []
  for (const [id, { lane, at, fails }] of sent) {
    const all = handled.get(id) ?? []
    if (all.length === 0) count.lost++
    // A message whose first try fails is handled twice by right.
    if (all.length > (fails ? 2 : 1)) {
      count.doubled++
      if (new Set(all.map(one => one.side)).size > 1) count.doubledByBoth++
    }
    for (const one of all) {
      if (one.lane !== lane) count.tagLost++
      if (one.side === 'gray' && lane !== 'gray') count.wrong++
      if (lane !== 'gray') continue
      if (one.side === 'gray') count.grayByGray++
      else {
        count.grayByBase++
        if (at >= beganAt && alive.some(([from, to]) => one.at > from && one.at < to)) count.grayByBaseWhileAlive++
      }
    }
    if (lane === 'gray' && all.length > 0) latencies.push(all[0].at - at)
  }
  latencies.sort((a, b) => a - b)
  const at = share => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]
  return { ...count, grayLatencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) } }
}
