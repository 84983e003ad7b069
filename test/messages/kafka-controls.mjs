// Faults that the protocol is made against, each built in and each with its counterpart.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { account, readLog } from './account.mjs'
import { startMember } from './fleet.mjs'
import { startTraffic, untilQuiet } from './traffic.mjs'

/** How far the clocks of producers are off, either way. */
const SKEW_MS = { 'skew-2s': 2000, 'skew-30s': 30_000 }

/** @returns `{ counts, left }` */
export async function runKafkaControl(system, server, { name, control }) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-control-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const skew = SKEW_MS[control] ?? 0
  const skewMs = () => Math.round((Math.random() * 2 - 1) * skew)
  const producer = await system.module.openProducer(server, name, { skewMs })
  const { host, port } = server
  const members = []
  async function up(lane, member) {
    const one = startMember({
      system: system.name,
      server: { host, port },
      name,
      log,
      lane,
      member,
      control: control === 'copied-offsets' ? 'waiting' : control,
    })
    members.push(one)
    await one.ready
    return one
  }
  try {
    await up('base', 'b1')
    const traffic = startTraffic(producer, { batch: 10, everyMs: 200 })
    await sleep(1000)
    let gray = await up('gray', 'g1')
    await sleep(4000)
    if (control === 'frozen-broker') {
      server.freeze()
      await sleep(10_000)
      server.thaw()
      await sleep(3000)
    }
    gray.kill()
    await gray.gone
    await sleep(8000)
    if (control === 'copied-offsets') {
      // What an instance of the lane does that was stalled between its look at the ledger and its copy.
      const [{ topic, partitions }] = await producer.admin.fetchOffsets({ groupId: name, topics: [name] })
      await producer.admin.setOffsets({ groupId: `${name}_gray`, topic, partitions })
    }
    gray = await up('gray', 'g2')
    await sleep(3000)
    await traffic.stop()
    await untilQuiet(() => readLog(log).length, 6000)
    return { counts: account(traffic.sent, readLog(log)), left: await producer.leftovers() }
  } finally {
    for (const member of members) member.kill()
    await producer.close().catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}
