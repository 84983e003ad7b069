// Instances of a Node service without any code of Laneway leave while Spring, which keeps its list for 35 s, calls them.
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { LANES, newResult, one, rightAnswer } from './chains.mjs'
import { request } from './http-part.mjs'

const entry = 'hop-service.cjs'
const WORKERS = 4
const PAUSE_MS = 20
/** Longest run of the load: the leave delay, the end of open requests, and a busy machine. */
const LOAD_MS = 120_000
/** Calls before the signal, so that Spring's list is fresh and kept for nearly all of its 35 s. */
const BEFORE = 90
const AFTER = 300

export const checks = 5

export async function runLeave(world, { broken, report, check }) {
  const env = { LANEWAY_LEAVE_DELAY_MS: broken ? '3000' : '40000' }
  if (!world.instances.some(({ service }) => service === 'spring'))
    await world.add([{ service: 'spring', kind: 'spring' }])
  await world.add([{ service: 'node-front', kind: 'node', entry }])
  const [, ...leaving] = await world.add([
    { service: 'node-l', kind: 'node', entry },
    { service: 'node-l', kind: 'node', entry, name: 'base-leaves', env },
    { service: 'node-l', kind: 'node', entry, tag: 'gray', env },
  ])
  const chains = [
    ['node-front', 'spring', 'node-l'],
    ['spring', 'node-l'],
  ]
  const agent = new Agent({ keepAlive: true })
  const result = newResult()
  const seen = { afterSignal: 0, lastMs: 0 }
  let signalledAt
  let done = false
  let sent = 0

  const isRight = chain => (lane, answer) => {
    if (signalledAt !== undefined && /base-leaves|node-l:gray/.test(answer)) {
      seen.afterSignal++
      seen.lastMs = performance.now() - signalledAt
    }
    const right = rightAnswer(world.instances, chain, lane)
    const said = answer.replace('base-leaves', 'base')
    // Once gray has deregistered, base stands in for it.
    const inBase = right.replace('node-l:gray', 'node-l:base')
    return said === right || (signalledAt !== undefined && said === inBase)
  }
  const worker = async () => {
    const end = performance.now() + LOAD_MS
    while (!done && performance.now() < end) {
      const number = sent++
      const lane = LANES[number % 3]
      const chain = chains[Math.floor(number / 3) % chains.length]
      const { port } = world.instances.find(({ service, tag }) => service === chain[0] && tag === '')
      const call = () => request({ port, path: `/${chain.slice(1).join('/')}`, agent, lane })
      await one(result, lane, call, isRight(chain))
      await sleep(PAUSE_MS)
    }
  }
  const reach = async count => {
    while (sent < count && !done) await sleep(50)
  }
  const workers = Array.from({ length: WORKERS }, worker)
  await Promise.race([reach(BEFORE), ...workers])
  signalledAt = performance.now()
  for (const instance of leaving) instance.signal('SIGTERM')
  await Promise.race([Promise.all(leaving.map(instance => instance.ended)), ...workers])
  const leftMs = performance.now() - signalledAt
  const until = sent + AFTER
  await Promise.race([reach(until), ...workers])
  done = true
  await Promise.all(workers)
  agent.destroy()

  report('Node leaves under the load of Java', chains.at(0), result)
  const called = `${seen.afterSignal} calls after the signal, the last ${Math.round(seen.lastMs)} ms after it`
  // Else the test would show nothing.
  check(seen.lastMs > 10_000, 'Spring calls what has deregistered for as long as it keeps its list', called)
  check(
    leaving.every(({ pid }) => !lives(pid)) && sent >= until,
    'the processes end, and the load goes on without them',
    `ended after ${Math.round(leftMs)} ms, ${AFTER} requests afterwards`,
  )
}

function lives(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
