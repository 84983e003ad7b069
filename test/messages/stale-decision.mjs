// A lane comes, goes and comes back under traffic, while every member decides in a way that is not the ledger's, or while
// a server is frozen.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { account, readLog } from './account.mjs'
import { startMember } from './fleet.mjs'
import { startTraffic, untilQuiet } from './traffic.mjs'

/** The controls that freeze a server: which of its processes. */
const FROZEN = {
  'frozen-broker': 'pid',
  'frozen-broker-plain': 'pid',
  'frozen-broker-by-record': 'pid',
  'frozen-ledger': 'ledgerPid',
}
const FROZEN_MS = 10_000

/** @param control - the fault of the members, or the server that is frozen, `plain` for members without Laneway; `none` for none */
export async function staleDecision(system, server, { name, control, forMs = 2500, quietMs = 6000 }) {
  const frozen = server[FROZEN[control]]
  const fault = control === 'none' || frozen !== undefined ? undefined : control
  const ofMembers = control === 'frozen-broker-plain' ? 'plain' : fault
  const folder = mkdtempSync(join(tmpdir(), 'laneway-control-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const producer = await system.module.openProducer(server, name)
  const { host, port, url } = server
  const members = []
  const up = async (lane, member) => {
    const options = { system: system.name, server: { host, port, url }, name, log, lane, member }
    const one = startMember({ ...options, control: ofMembers })
    members.push(one)
    await one.ready
    return one
  }
  try {
    await up('base', 'b1')
    const traffic = startTraffic(producer, { batch: 10, everyMs: 20, grayTenths: 4 })
    for (let i = 0; i < 2; i++) {
      await sleep(500)
      const gray = await up('gray', `g${i}`)
      await sleep(forMs)
      if (frozen !== undefined) {
        process.kill(frozen, 'SIGSTOP')
        await sleep(FROZEN_MS)
        process.kill(frozen, 'SIGCONT')
        await sleep(forMs)
      }
      gray.kill()
      await gray.gone
      await sleep(forMs)
    }
    await traffic.stop()
    await untilQuiet(() => readLog(log).length, quietMs)
    return { counts: account(traffic.sent, readLog(log)), left: [] }
  } finally {
    if (frozen !== undefined) process.kill(frozen, 'SIGCONT')
    for (const member of members) member.kill()
    await producer.close().catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}
