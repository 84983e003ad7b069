import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, type Figures, type Row, type Table } from '../case.js'
import { Chain } from '../hop-client.js'
import { bootstrapMedian, median } from '../statistics.js'

const START = fileURLToPath(new URL('../register-start.js', import.meta.url))
const GUARDS = fileURLToPath(new URL('../register-guards.js', import.meta.url))
const STARTS = 15
const GUARD_PAIRS = 7
const GENERATIONS = 3
const PAIRS = 40
const REQUESTS = 60
const WARM = 1500

/** What a process is started with; the program is the same. */
interface Preload {
  readonly options: string
  readonly environment?: Readonly<Record<string, string>>
  /** Whether it carries a tag. */
  readonly lane?: true
}

const NONE: Preload = { options: '' }
const REGISTER: Preload = { options: '--import @laneway/register', lane: true }
const OPENTELEMETRY: Preload = {
  options: '--require @opentelemetry/auto-instrumentations-node/register',
  environment: {
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_NODE_RESOURCE_DETECTORS: 'none',
  },
}
const names = Object.keys({ ...OPENTELEMETRY.environment, NODE_OPTIONS: '', LANEWAY_ENDPOINTS_FILE: '' })

/** Starts a process with a preload: children inherit the environment of this moment. */
function under<T>({ options, environment }: Preload, start: () => T): T {
  const before = names.map(name => [name, process.env[name]] as const)
  Object.assign(process.env, environment, { NODE_OPTIONS: options })
  try {
    return start()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

interface Start {
  readonly ms: number
  readonly cpu: number
  readonly rss: number
}

async function startOnce(preload: Preload): Promise<Start> {
  const child = under(preload, () => fork(START, { execArgv: ['--expose-gc'] }))
  const [told] = (await once(child, 'message')) as [Start & { answer: string }]
  expect(told.answer === 'gray', `the service answered ${told.answer}`)
  return told
}

async function starts(preload: Preload, quick: boolean): Promise<Figures> {
  const plain: Start[] = []
  const loaded: Start[] = []
  for (let count = quick ? 1 : STARTS; count > 0; count--) {
    if (count % 2 === 0) plain.push(await startOnce(NONE))
    loaded.push(await startOnce(preload))
    if (count % 2 === 1) plain.push(await startOnce(NONE))
  }
  const added = (what: keyof Start) => {
    const raw = loaded.map((one, at) => one[what] - plain[at]![what])
    return { value: median(raw), raw }
  }
  return {
    'without ms': median(plain.map(({ ms }) => ms)),
    'ms added': added('ms'),
    'CPU ms added': added('cpu'),
    'without MB': median(plain.map(({ rss }) => rss)),
    'MB added': added('rss'),
  }
}

/** The same chain of services under a preload and without, in alternating blocks. */
async function requests(preload: Preload, tag: string | undefined, quick: boolean, met = false): Promise<Figures> {
  const plain = { framework: 'express', lane: 'plain', telemetry: false } as const
  const before: number[] = []
  const ratios: number[][] = []
  const differences: number[][] = []
  for (let count = quick ? 1 : GENERATIONS; count > 0; count--) {
    const chains = [under(NONE, () => Chain.start(plain, tag)), under(preload, () => Chain.start(plain, tag))] as const
    const [one, other] = await Promise.all(chains)
    try {
      const answer = JSON.parse(await other.get())
      expect(answer.tag === ((preload.lane && tag) ?? null), `the far service got the tag ${answer.tag}`)
      if (quick) return { 'µs added': Number.NaN }
      // On the same connections.
      if (met) for (const chain of [one, other]) await chain.block(WARM, 'gray')
      await one.block(WARM)
      await other.block(WARM)
      const ratio: number[] = []
      const difference: number[] = []
      for (let pair = 0; pair < PAIRS; pair++) {
        let off = pair % 2 === 0 ? await one.block(REQUESTS) : 0
        const on = await other.block(REQUESTS)
        if (pair % 2 === 1) off = await one.block(REQUESTS)
        before.push(off)
        ratio.push(on / off)
        difference.push(on - off)
      }
      ratios.push(ratio)
      differences.push(difference)
    } finally {
      await Promise.all([one.close(), other.close()])
    }
  }
  const bounds = bootstrapMedian(differences)
  return {
    'without µs': median(before),
    'µs added': { value: median(differences.flat()), raw: differences.flat() },
    'µs low': bounds.low,
    'µs high': bounds.high,
    ratio: { value: median(ratios.flat()), raw: ratios.flat() },
  }
}

const PARTS = ['layers', 'commands', 'emitters', 'socket'] as const
type Guards = Readonly<Record<(typeof PARTS)[number], number>>

async function guardsOnce(preload: Preload, quick: boolean): Promise<Guards> {
  const child = under(preload, () => fork(GUARDS, quick ? ['quick'] : []))
  const [told] = (await once(child, 'message')) as [{ figures: Guards; answers: number }]
  expect(told.answers > 0, 'no layer and no command was called')
  return told.figures
}

/** What each part takes longer under the flag, and all of them. */
async function guards(preload: Preload, quick: boolean): Promise<Figures> {
  const added: Guards[] = []
  for (let pair = quick ? 1 : GUARD_PAIRS; pair > 0; pair--) {
    const before = pair % 2 === 0 ? await guardsOnce(NONE, quick) : undefined
    const guarded = await guardsOnce(preload, quick)
    const plain = before ?? (await guardsOnce(NONE, quick))
    added.push(Object.fromEntries(PARTS.map(part => [part, guarded[part] - plain[part]])) as Guards)
  }
  const figure = (of: (one: Guards) => number) => {
    const raw = added.map(of)
    return { value: median(raw), raw }
  }
  return {
    ...Object.fromEntries(PARTS.map(part => [`${part} ns`, figure(one => one[part])])),
    'ns together': figure(one => PARTS.reduce((sum, part) => sum + one[part], 0)),
  }
}

/** With a registry that lists other services: every call is looked up. */
async function withRegistry<T>(work: (preload: Preload) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-bench-'))
  const file = join(folder, 'endpoints.json')
  writeFileSync(file, JSON.stringify({ services: { 'sc-other': [{ host: '127.0.0.1', port: 9 }] } }))
  try {
    return await work({ ...REGISTER, environment: { LANEWAY_ENDPOINTS_FILE: file } })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const startRow = (name: string, preload: Preload, peer?: true): Row => ({
  name,
  rounds: 1,
  ...(peer && { peer }),
  measure: quick => starts(preload, quick),
})

const requestRow = (name: string, preload: Preload, tag: string | undefined, peer?: true, met = false): Row => ({
  name,
  rounds: 1,
  ...(peer && { peer }),
  measure: quick => requests(preload, tag, quick, met),
})

export const register: readonly Table[] = [
  {
    name: 'register/start',
    about:
      'What the flag adds to the start of a service and to its memory, once it has served a request over node:http and fetch and loaded node:http2: medians of 15 alternating pairs of processes. OpenTelemetry is its auto-instrumentation package, without exporters and resource detectors.',
    rows: [
      startRow('A/A', NONE, true),
      startRow('@laneway/register', REGISTER),
      {
        name: '@laneway/register, a registry',
        rounds: 1,
        measure: quick => withRegistry(preload => starts(preload, quick)),
      },
      startRow('OpenTelemetry', OPENTELEMETRY, true),
    ],
    targets: [
      { row: '@laneway/register', figure: 'ms added', atMost: 20 },
      { row: '@laneway/register', figure: 'MB added', atMost: 5 },
    ],
  },
  {
    name: 'register/guards',
    about:
      'What the guards of the flag add to a tagged request that passes five Express layers, sends two commands of a callback driver, makes ten event emitters and opens a socket that is no HTTP: the shortest of 41 samples each, medians of 7 alternating pairs of processes.',
    rows: [
      { name: 'A/A', rounds: 1, peer: true, measure: quick => guards(NONE, quick) },
      { name: '@laneway/register', rounds: 1, measure: quick => guards(REGISTER, quick) },
    ],
    targets: [{ row: '@laneway/register', figure: 'ns together', atMost: 1000 }],
  },
  {
    name: 'register/request',
    about:
      'Processor time of a request through an unchanged Express -> undici -> Fastify, all in one process, under the flag against the same without: 120 pairs of alternating blocks over three pairs of processes. "After a lane": the connections have carried tagged requests before. OpenTelemetry as above, no span leaves the process.',
    rows: [
      requestRow('A/A', NONE, undefined, true),
      requestRow('@laneway/register, untagged', REGISTER, undefined),
      requestRow('@laneway/register, untagged, after a lane', REGISTER, undefined, undefined, true),
      requestRow('@laneway/register, tagged', REGISTER, 'gray'),
      {
        name: '@laneway/register, a registry, tagged',
        rounds: 1,
        measure: quick => withRegistry(preload => requests(preload, 'gray', quick)),
      },
      requestRow('OpenTelemetry', OPENTELEMETRY, undefined, true),
    ],
    targets: [],
  },
]
