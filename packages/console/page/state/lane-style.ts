const SLOTS = 8
const taken = new Map<string, number>()

/** Which colour and shape a lane has: the same in all views, and after a reload as far as other lanes leave it free. */
export function slotOf(lane: string): number {
  if (lane === 'base') return 0
  let slot = taken.get(lane)
  if (slot === undefined) {
    let hash = 0
    for (const letter of lane) hash = (hash * 31 + letter.codePointAt(0)!) % 65_521
    slot = (hash % SLOTS) + 1
    const used = new Set(taken.values())
    for (let step = 0; step < SLOTS && used.has(slot); step++) slot = (slot % SLOTS) + 1
    taken.set(lane, slot)
  }
  return slot
}
