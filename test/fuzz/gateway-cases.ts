// Raw sockets against a running gateway: what comes back, in order; and what is left when all have gone.
import { setTimeout as sleep } from 'node:timers/promises'
import type { FuzzCase, Scale } from './fuzz-case.js'
import { type Played, PROTOCOLS, type Protocol, playConnection } from './gateway/connections.js'
import { type Look, RunningGateway } from './gateway/running-gateway.js'
import { startUpstream, type Upstream } from './gateway/upstream.js'

/** Connections of a protocol for each random input of a property: 20,000 in all by default. */
const PER_RUN = 5
const LONG = 75_000
/** At once. */
const PARALLEL = 48
/** How long nothing is sent before what is left is counted. */
const QUIET_MS = 2000
/** A machine that does other things too is given as much again, and more: what leaks stays. */
const PATIENCE_MS = 6000
/** Of the process itself, e.g. of its thread pool. */
const SPARE_DESCRIPTORS = 4

export const gatewayCases: readonly FuzzCase[] = PROTOCOLS.map(protocol => ({
  name: `gateway: any bytes over ${protocol}: right answers in order, and nothing is left`,
  run: scale => attack(protocol, scale),
}))

async function attack(protocol: Protocol, scale: Scale): Promise<number> {
  const seed = scale.seed ?? Math.floor(Math.random() * 2 ** 31)
  const count = scale.long ? LONG : Math.ceil(scale.runs * PER_RUN)
  const upstream = await startUpstream()
  const gateway = await RunningGateway.start(upstream.port)
  console.log(`${' '.repeat(19)}${protocol}: seed ${seed}, ${count} connections`)
  try {
    const before = await warmUp(gateway, protocol, seed)
    if (scale.connection !== undefined) {
      const { text, wrong } = await playConnection(gateway, protocol, seed, scale.connection)
      console.log(text)
      if (wrong !== undefined) throw new Error(wrong)
      await quiet(gateway, upstream, before)
      return 1
    }
    const failure = await all(gateway, protocol, seed, count)
    if (gateway.ended !== undefined) {
      const why = gateway.ended
      const culprit = await findCulprit(upstream, protocol, seed, failure.under)
      throw new Error(`${culprit}${why}${again(protocol, seed, failure.under)}`)
    }
    if (failure.why !== undefined) throw new Error(failure.why)
    if (upstream.mixed.length > 0) throw new Error(`the upstream got ${upstream.mixed[0]}`)
    await quiet(gateway, upstream, before)
    return count
  } finally {
    await gateway.close()
    upstream.close()
  }
}

interface Failure {
  readonly why: string | undefined
  /** Connections that were open when it happened. */
  readonly under: readonly number[]
}

/** Plays all connections, many at once, up to the first that is wrong. */
async function all(gateway: RunningGateway, protocol: Protocol, seed: number, count: number): Promise<Failure> {
  const open = new Set<number>()
  let next = 0
  let why: string | undefined
  let under: readonly number[] = []
  async function worker(): Promise<void> {
    while (next < count && why === undefined && gateway.ended === undefined) {
      const connection = next++
      open.add(connection)
      const { text, wrong }: Played = await playConnection(gateway, protocol, seed, connection)
      if (gateway.ended !== undefined && under.length === 0) under = [...open]
      // What a dying gateway does not answer says nothing.
      if (wrong !== undefined && gateway.ended === undefined) {
        await sleep(100)
        if (gateway.ended === undefined)
          why ??= `connection ${connection}: ${wrong}\n${text}${again(protocol, seed, [connection])}`
        else if (under.length === 0) under = [...open]
      }
      open.delete(connection)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return { why, under }
}

/** Which one connection ends a gateway by itself. */
async function findCulprit(
  upstream: Upstream,
  protocol: Protocol,
  seed: number,
  under: readonly number[],
): Promise<string> {
  for (const connection of under) {
    const gateway = await RunningGateway.start(upstream.port)
    const { text } = await playConnection(gateway, protocol, seed, connection)
    await sleep(50)
    const ended = gateway.ended !== undefined
    await gateway.close()
    if (ended) return `connection ${connection} ends the gateway: ${text}\n`
  }
  return ''
}

function again(protocol: Protocol, seed: number, connections: readonly number[]): string {
  const [one] = connections
  const which = one === undefined ? '' : ` --connection ${one}`
  return `\nagain: npm run test:fuzz -- --only 'over ${protocol}:' --seed ${seed}${which}`
}

/** What is open when nothing happens, after everything was loaded that is loaded on demand. */
async function warmUp(gateway: RunningGateway, protocol: Protocol, seed: number): Promise<Look> {
  // Numbers that no run has.
  for (let connection = -1; connection > -6; connection--) await playConnection(gateway, protocol, seed, connection)
  await sleep(QUIET_MS)
  return gateway.look()
}

/** @throws Error when something is left after a while of quiet */
async function quiet(gateway: RunningGateway, upstream: Upstream, before: Look): Promise<void> {
  await sleep(QUIET_MS)
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const now = await gateway.look()
    const left: string[] = []
    if (now.inFlight !== 0) left.push(`in_flight is ${now.inFlight}`)
    if (now.upgraded !== 0) left.push(`${now.upgraded} upgraded connections`)
    // The idle ones of the pool have been closed too, because the gateway keeps them for less than this.
    if (upstream.sockets > 0) left.push(`${upstream.sockets} upstream sockets`)
    const more = (now.descriptors ?? 0) - (before.descriptors ?? 0)
    if (more > SPARE_DESCRIPTORS) left.push(`${more} file descriptors more than before`)
    if (left.length === 0) return
    if (performance.now() > end)
      throw new Error(`after ${(QUIET_MS + PATIENCE_MS) / 1000} s of quiet: ${left.join(', ')}`)
    await sleep(250)
  }
}
