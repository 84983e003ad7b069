import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LaneResolver } from '@laneway/discovery'
import { expect, type Figures, type Row, type Table } from '../case.js'
import { ServerProcess } from '../server-process.js'
import { median } from '../statistics.js'
import { TurnProbe } from '../turn-probe.js'

const SLICES = 50
const EACH = 100
const CHANGES = 12

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 1))
}

interface Running {
  readonly server: ServerProcess
  readonly resolver: LaneResolver
  /** Longest turn from the first request to the table in use. */
  readonly startMs: number
  readonly startCpuMs: number
}

async function using(slices: number, use: (running: Running) => Promise<Figures>): Promise<Figures> {
  const { createLaneResolver } = await import('@laneway/discovery')
  const { createKubernetesSource } = await import('@laneway/kubernetes')
  const server = await ServerProcess.start('kubernetes', String(slices), String(EACH))
  const folder = mkdtempSync(join(tmpdir(), 'laneway-bench-'))
  writeFileSync(join(folder, 'config'), String(server.ready['kubeconfig']))
  // Reading a kubeconfig is a thing of the start, and of laptops: in a cluster there is none.
  const source = createKubernetesSource({ kubeconfig: join(folder, 'config') })
  await new Promise(resolve => setTimeout(resolve, 50))
  const probe = new TurnProbe()
  const resolver = createLaneResolver({ sources: [source], services: ['orders'], readyTimeoutMs: 60_000 })
  try {
    await resolver.ready('orders')
    await until(() => resolver.state('orders')?.base.endpoints === slices * EACH)
    const startCpuMs = probe.cpuMs
    return await use({ server, resolver, startMs: await probe.stop(), startCpuMs })
  } finally {
    await resolver.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function parseMs(texts: readonly string[]): number {
  const from = process.hrtime.bigint()
  let parsed = 0
  for (const text of texts) if (JSON.parse(text) !== null) parsed++
  expect(parsed === texts.length, 'not everything was parsed')
  return Number(process.hrtime.bigint() - from) / 1e6
}

const start: Row = {
  name: 'start',
  rounds: 3,
  seconds: 1,
  measure: quick =>
    using(quick ? 2 : SLICES, async ({ server, startMs, startCpuMs }) => ({
      'longest turn ms': startMs,
      'processor ms': startCpuMs,
      'JSON.parse ms': parseMs([String(server.ready['lists'])]),
    })),
}

const change: Row = {
  name: 'one pod changes',
  rounds: 3,
  seconds: 1,
  measure: quick =>
    using(quick ? 2 : SLICES, async ({ server, resolver }) => {
      const turns: number[] = []
      const parses: number[] = []
      for (let turn = 1; turn <= (quick ? 1 : CHANGES); turn++) {
        const probe = new TurnProbe()
        const { bytes } = await server.ask(turn)
        await until(() => resolver.state('orders')?.lanes.has(`l${turn}`) === true)
        turns.push(await probe.stop())
        parses.push(parseMs(String(bytes).split('\n')))
      }
      return { 'longest turn ms': Math.max(...turns), 'median turn ms': median(turns), 'JSON.parse ms': median(parses) }
    }),
}

export const kubernetes: readonly Table[] = [
  {
    name: 'kubernetes/slices',
    about:
      '5000 endpoints in 50 EndpointSlices with their 5000 pods, from an API server in another process to the table in use. Then one pod after the other gets a lane, and its slice is written anew. Longest turn: for how long the event loop did nothing else. `JSON.parse` of the same bytes, at a stretch, stands beside.',
    rows: [start, change],
    targets: [
      { row: 'start', figure: 'longest turn ms', atMost: 10 },
      { row: 'one pod changes', figure: 'longest turn ms', atMost: 10 },
    ],
  },
]
