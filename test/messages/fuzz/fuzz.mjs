// One client in one process: messages by every way of producing, in lanes at random, and what its handlers saw of them.
// Prints a line of JSON. The seed says which messages: a run can be repeated.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomFrom } from './random.mjs'
import { LANES, VALUES } from './values.mjs'

const UNDER_WAY = 25
const PATIENCE_MS = 90_000
const HEADER = 'x-mse-tag'

export async function runFuzz(load, kind) {
  const { CLIENT, SEED, COUNT } = process.env
  const random = randomFrom(Number(SEED))
  const { currentLane, runInLane } = await load('@laneway/core')
  const laneNow = () => currentLane()?.header
  const { open } = await import(`./clients/${CLIENT}.mjs`)

  const wrong = []
  /** @type {Map<string, Map<number, string>>} by consumer: the messages that it saw */
  const seen = new Map()
  const expected = new Map()
  async function handle(consumer, id, alsoLane) {
    const entered = laneNow()
    const of = seen.get(consumer) ?? seen.set(consumer, new Set()).get(consumer)
    of.add(id)
    // Not of the seed: the order in which handlers run is not, either.
    await sleep(Math.random() * 3)
    const { lane, how } = expected.get(id) ?? {}
    for (const [where, found] of [
      ['entered', entered],
      ['awaited', laneNow()],
      ['messageLane', alsoLane],
    ]) {
      if (found !== lane) wrong.push(`${consumer} ${where} ${how}: ${found}, not ${lane}`)
    }
  }

  // Opened in a lane, as a request does that is the first to need it.
  const client = await runInLane('blue', () =>
    open(load, { name: `fuzz-${CLIENT}-${kind}-${process.pid}-${SEED}`, handle, runInLane }),
  )
  const count = Number(COUNT)
  let id = 0
  const one = () => {
    const ways = Object.entries(client.ways)
    const [way, produce] = random.of(ways)
    const foreign = client.foreign !== undefined && random.below(4) === 0
    const usable = VALUES.filter(({ kind: needs }) => !foreign || client.takes.includes(needs))
    const hand = foreign || random.below(3) === 0 ? random.of(usable) : undefined
    const call = random.of(LANES)
    const headers = hand === undefined ? undefined : { [HEADER]: hand.value, other: '1' }
    const number = ++id
    const lane = foreign ? hand.lane : (hand?.lane ?? call)
    const how = `${foreign ? 'foreign' : way} in ${call} with ${hand === undefined ? 'nothing' : JSON.stringify(hand.value)?.slice(0, 40)}`
    expected.set(number, { lane, how })
    return runInLane(call, () => (foreign ? client.foreign : produce)(number, headers))
  }
  while (id < count) {
    await Promise.all(Array.from({ length: Math.min(UNDER_WAY, count - id) }, one))
  }
  await client.flush?.()
  const end = Date.now() + PATIENCE_MS
  const missing = () => client.consumers.map(name => count - (seen.get(name)?.size ?? 0))
  while (missing().some(left => left > 0) && Date.now() < end) await sleep(50)
  console.log(JSON.stringify({ count, missing: missing(), wrong: wrong.length, first: wrong.slice(0, 3) }))
  // Some clients take seconds to close, and some have nothing that closes them.
  process.exit(0)
}
