// Random kills, ends and freezes of two consumers of base and two of gray, by a seed that is printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { account, readLog } from './account.mjs'
import { startMember } from './fleet.mjs'
import { startTraffic, untilQuiet } from './traffic.mjs'
import { until } from './until.mjs'

/** Longer than every lease, lock and heartbeat of the members. */
const FROZEN_MS = 9000
const ACT_EVERY_MS = 2500
const BACK_AFTER_MS = 800
const BATCH = 20

function randomOf(seed) {
  let state = seed
  return below => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor((state / 2147483648) * below)
  }
}

/** @returns the counts, the acts, and what may be doubled at most */
export async function chaos(system, server, { name, seed, messages, control }) {
  const { openProducer, IN_FLIGHT, IN_FLIGHT_OF_BASE = IN_FLIGHT, QUIET_MS = 15_000, EVERY_MS = 50 } = system.module
  const folder = mkdtempSync(join(tmpdir(), 'laneway-chaos-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const random = randomOf(seed)
  const producer = await openProducer(server, name)
  let over = false
  const slots = ['base', 'base', 'gray', 'gray'].map((lane, index) => ({ lane, index, starts: 0 }))
  const up = slot => {
    const member = `${slot.lane}${slot.index}.${slot.starts++}`
    slot.member = startMember({
      system: system.name,
      server: plain(server),
      name,
      lane: slot.lane,
      log,
      member,
      control,
    })
    slot.member.gone.then(async () => {
      await sleep(BACK_AFTER_MS)
      if (!over) up(slot)
    })
  }
  const acts = { kill: 0, end: 0, freeze: 0 }
  let mostDoubled = 0
  const hurt = new Set()
  const thaws = []
  try {
    slots.forEach(up)
    await Promise.all(slots.map(slot => slot.member.ready))
    const traffic = startTraffic(producer, { batch: BATCH, everyMs: EVERY_MS + 10, grayTenths: 4, log })
    while (traffic.sent.size < messages) {
      const before = traffic.handled()
      await sleep(ACT_EVERY_MS)
      // A busy machine needs longer to get something done between two acts.
      await until(() => traffic.handled() >= before + BATCH, 60_000).catch(() => {})
      const { member } = slots[random(4)]
      const act = ['kill', 'end', 'freeze'][random(3)]
      if (member.frozen || member.isGone || member.readyAt === undefined) continue
      acts[act]++
      if (act !== 'end') {
        hurt.add(member.name)
        mostDoubled += member.lane === 'base' ? IN_FLIGHT_OF_BASE : IN_FLIGHT
      }
      member[act]()
      if (act === 'freeze') thaws.push(sleep(FROZEN_MS).then(() => member.thaw()))
    }
    await traffic.stop()
    await Promise.all(thaws)
    // A busy machine takes a while to start those that come back.
    await until(() => slots.every(({ member }) => member.readyAt !== undefined && !member.isGone), 300_000)
    await untilQuiet(() => readLog(log).length, QUIET_MS)
    const lines = readLog(log)
    const counts = account(traffic.sent, lines)
    const left = await producer.leftovers()
    return { seed, acts, counts, left, mostDoubled, doubledUnhurt: doubledUnhurt(lines, hurt) }
  } finally {
    over = true
    for (const { member } of slots) member?.kill()
    await producer.close().catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How many messages were handled several times, and never by a member that was killed or frozen. */
function doubledUnhurt(lines, hurt) {
  const times = new Map()
  for (const { id } of lines) times.set(id, (times.get(id) ?? 0) + 1)
  for (const { id, member } of lines) if (hurt.has(member)) times.delete(id)
  return [...times.values()].filter(count => count > 1).length
}

const plain = ({ host, port, url }) => ({ host, port, url })
