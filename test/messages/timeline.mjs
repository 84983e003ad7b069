// Consumers of a lane start, stop, are killed and frozen; base is killed; the broker restarts with its data. In this order.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { account, readLog } from './account.mjs'
import { startMember } from './fleet.mjs'
import { startTraffic, untilQuiet } from './traffic.mjs'

/** @returns the counts, what may be doubled at most, and how long base took to take over, in milliseconds */
export async function timeline(system, server, { name, messages, kills = 3, control, members = {} }) {
  const { openProducer, IN_FLIGHT, WINDOW_MS, QUIET_MS = 12_000, EVERY_MS = 50, BEGINS_BY_SENT_TIME } = system.module
  const folder = mkdtempSync(join(tmpdir(), 'laneway-timeline-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const producer = await openProducer(server, name)
  const running = new Set()
  /** Stretches in which a consumer of gray lived, whatever base knew: `[from, to]`. */
  const alive = []
  /** From the kill of the last consumer of the lane to the first message of the lane at base, in milliseconds. */
  const takeovers = []
  /** From the moment at which a consumer of the lane is opened to its first message, in milliseconds. */
  const starts = []
  let hurt = 0
  const up = async (lane, member) => {
    const { host, port, url } = server
    const one = startMember({
      system: system.name,
      server: { host, port, url },
      name,
      lane,
      log,
      member,
      control,
      ...members,
    })
    running.add(one)
    await one.ready
    return one
  }
  const down = async (member, how) => {
    const at = Date.now()
    if (member.lane === 'gray') alive.push([member.readyAt + WINDOW_MS, at])
    if (how === 'kill') hurt++
    member[how]()
    await member.gone
    running.delete(member)
    return at
  }
  const linesOf = test => readLog(log).filter(test)
  async function firstOf(test, withinMs = 30_000) {
    const end = Date.now() + withinMs
    while (Date.now() < end) {
      const [line] = linesOf(test)
      if (line !== undefined) return line.at
      await sleep(50)
    }
    return undefined
  }
  /** Starts a consumer of the lane, which lives once it has handled a message. */
  async function upInLane(member) {
    const one = await up('gray', member)
    const first = await firstOf(line => line.member === member, 120_000)
    if (first === undefined) throw new Error(`${member} handles nothing`)
    starts.push(first - one.openingAt)
    one.readyAt = Math.max(one.readyAt, first)
    return one
  }
  /** After a freeze of its own or of the broker. Where the broker cannot be asked, it is heard of again within a beat. */
  async function isBack(gray) {
    await (producer.untilLaneReads?.() ?? sleep(3000))
    gray.readyAt = Date.now()
  }
  try {
    const stays = await up('base', 'b1')
    let b2 = await up('base', 'b2')
    const traffic = startTraffic(producer, {
      batch: 10,
      everyMs: EVERY_MS,
      failEvery: system.name === 'bullmq' ? 50 : 0,
      log,
    })
    await sleep(1500)
    let gray = await upInLane('g0')
    const beganAt = BEGINS_BY_SENT_TIME ? gray.readyAt : 0
    await sleep(2000)
    await down(gray, 'end')
    await sleep(1000)
    for (let kill = 1; kill <= kills; kill++) {
      gray = await upInLane(`g${kill}`)
      await sleep(1500)
      const at = await down(gray, 'kill')
      const taken = await firstOf(line => line.lane === 'gray' && line.side === 'base' && line.at > at)
      if (taken !== undefined) takeovers.push(taken - at)
    }
    gray = await upInLane('frozen')
    await sleep(1500)
    hurt++
    alive.push([gray.readyAt + WINDOW_MS, Date.now()])
    gray.freeze()
    await sleep(9000)
    gray.thaw()
    await isBack(gray)
    await sleep(1000)
    await down(b2, 'kill')
    await sleep(1000)
    b2 = await up('base', 'b2again')
    alive.push([gray.readyAt, Date.now()])
    // Whatever ran when the broker went is handed out again.
    hurt += 3
    await server.restart(500)
    await isBack(gray)
    await sleep(1000)
    while (traffic.sent.size < messages) await sleep(200)
    await down(gray, 'kill')
    await sleep(1000)
    await traffic.stop()
    await untilQuiet(() => readLog(log).length, QUIET_MS)
    const counts = account(traffic.sent, readLog(log), alive, beganAt)
    const left = await producer.leftovers()
    for (const member of [stays, b2]) await down(member, 'end')
    return { counts, left, mostDoubled: hurt * IN_FLIGHT, takeovers, starts }
  } finally {
    for (const member of running) member.kill()
    await producer.close().catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}
