// Base moves messages to a lane and dies before its own next step; another instance of base goes on.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { account, readLog } from './account.mjs'
import { startMember } from './fleet.mjs'
import { untilQuiet } from './traffic.mjs'
import { until } from './until.mjs'

/**
 * @param control - the fault of the first base
 * @param handledFirst - whether the lane handles the messages before base dies
 */
export async function crashOfBase(system, server, { name, control, messages, handledFirst = true }) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-control-'))
  const log = join(folder, 'log')
  writeFileSync(log, '')
  const producer = await system.module.openProducer(server, name)
  const { host, port, url } = server
  const options = { system: system.name, server: { host, port, url }, name, log }
  const members = []
  const up = async more => {
    const member = startMember({ ...options, ...more })
    members.push(member)
    await member.ready
    return member
  }
  try {
    await up({ lane: 'gray', member: 'g1' })
    const faulty = await up({ lane: 'base', member: 'b1', control })
    // Base knows of the lane by now.
    await new Promise(resolve => setTimeout(resolve, 1500))
    const sent = new Map()
    const list = Array.from({ length: messages }, (_, i) => ({ id: `m${i}`, lane: 'gray', fails: false }))
    for (const { id, lane, fails } of list) sent.set(id, { lane, fails, at: Date.now() })
    await producer.send(list)
    if (handledFirst) await until(() => readLog(log).length >= messages)
    else await new Promise(resolve => setTimeout(resolve, 1500))
    faulty.kill()
    await faulty.gone
    await up({ lane: 'base', member: 'b2' })
    await untilQuiet(() => readLog(log).length, 10_000)
    return { counts: account(sent, readLog(log)), left: await producer.leftovers() }
  } finally {
    for (const member of members) member.kill()
    await producer.close().catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}
