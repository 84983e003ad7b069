// Random delays of one to three milliseconds for everybody, on one timer: a timer for each request costs more than the
// request. What is called back runs in the context of the timer, never in that of who asked.
const SLOTS = 4
const slots = Array.from({ length: SLOTS }, () => [])
let at = 0
setInterval(tick, 1).unref()

/** Calls `fn` after a random delay. */
export function later(fn) {
  slots[(at + 1 + Math.floor(Math.random() * (SLOTS - 1))) % SLOTS].push(fn)
}

/** A promise of the same. */
export const pause = () => new Promise(later)

function tick() {
  at = (at + 1) % SLOTS
  const due = slots[at]
  if (due.length === 0) return
  slots[at] = []
  for (const fn of due) fn()
}
