import { expect, type Figures, type Row, type Table, type Target } from '../case.js'
import { Chain, type ChainKind } from '../hop-client.js'
import { bootstrapMedian, median } from '../statistics.js'

/** Fresh pairs of processes: two processes of the same program differ by a few per cent, and only more of them show it. */
const GENERATIONS = 5
const PAIRS = 40
const REQUESTS = 60
const WARM = 1500

interface Pairs {
  readonly ratios: number[]
  readonly differences: number[]
  readonly before: number[]
  readonly after: number[]
}

async function generation(off: ChainKind, on: ChainKind, tag: string | undefined, quick: boolean): Promise<Pairs> {
  const [one, other] = await Promise.all([Chain.start(off, tag), Chain.start(on, tag)])
  const pairs: Pairs = { ratios: [], differences: [], before: [], after: [] }
  try {
    const answer = JSON.parse(await other.get())
    const lane = on.lane === 'plain' ? undefined : tag
    expect(answer.id === 7, `answered ${JSON.stringify(answer)}`)
    expect(answer.at === (lane ?? 'base') && answer.tag === (lane ?? null), `went to ${answer.at} with ${answer.tag}`)
    if (quick) return pairs
    await one.block(WARM)
    await other.block(WARM)
    for (let pair = 0; pair < PAIRS; pair++) {
      let before = 0
      if (pair % 2 === 0) before = await one.block(REQUESTS)
      const after = await other.block(REQUESTS)
      if (pair % 2 === 1) before = await one.block(REQUESTS)
      pairs.before.push(before)
      pairs.after.push(after)
      pairs.ratios.push(after / before)
      pairs.differences.push(after - before)
    }
    return pairs
  } finally {
    await Promise.all([one.close(), other.close()])
  }
}

async function compare(off: ChainKind, on: ChainKind, tag: string | undefined, quick: boolean): Promise<Figures> {
  const all: Pairs[] = []
  for (let count = quick ? 1 : GENERATIONS; count > 0; count--) all.push(await generation(off, on, tag, quick))
  if (quick) return { ratio: Number.NaN }
  const ratio = bootstrapMedian(all.map(pairs => pairs.ratios))
  const difference = bootstrapMedian(all.map(pairs => pairs.differences))
  return {
    'off µs': median(all.flatMap(pairs => pairs.before)),
    'on µs': median(all.flatMap(pairs => pairs.after)),
    'difference µs': median(all.flatMap(pairs => pairs.differences)),
    'µs low': difference.low,
    'µs high': difference.high,
    ratio: { value: median(all.flatMap(pairs => pairs.ratios)), raw: all.flatMap(pairs => pairs.ratios) },
    'ratio low': ratio.low,
    'ratio high': ratio.high,
    pairs: all.flatMap(pairs => pairs.ratios).length,
  }
}

function row(
  name: string,
  kind: Omit<ChainKind, 'lane'>,
  tag: string | undefined,
  lane: ChainKind['lane'] = 'lane',
): Row {
  return {
    name,
    rounds: 1,
    seconds: kind.telemetry ? 22 : kind.framework === 'express' ? 16 : 9,
    ...(lane !== 'lane' && { peer: true }),
    measure: quick => compare({ ...kind, lane: 'plain' }, { ...kind, lane }, tag, quick),
  }
}

function chain(framework: 'express' | 'fastify'): Table {
  const kind = { framework, telemetry: false }
  const targets: Target[] = ['tagged', 'untagged'].map(name => ({
    row: name,
    figure: 'µs high',
    atMost: 10,
    or: { figure: 'ratio high', atMost: 1.1 },
  }))
  return {
    name: `hop/${framework}`,
    about: `Processor time of a request through ${framework === 'express' ? 'Express' : 'Fastify'} -> undici -> Fastify, both services and the call between them in one process, with Laneway against the same without. 200 pairs of alternating blocks over five pairs of processes; low and high bound the median (95 %, bootstrap). A/A compares the chain without Laneway with itself: what it shows is noise.`,
    rows: [
      row('A/A', kind, undefined, 'plain'),
      row('untagged', kind, undefined),
      row('tagged', kind, 'gray'),
      row('tagged by hand', kind, 'gray', 'hand'),
    ],
    targets,
  }
}

const telemetry = { framework: 'express', telemetry: true } as const

export const hop: readonly Table[] = [
  chain('express'),
  chain('fastify'),
  {
    name: 'hop/opentelemetry',
    about:
      'The Express chain with the OpenTelemetry SDK on both sides (HTTP and undici instrumentation, every request sampled, spans thrown away).',
    rows: [
      row('A/A', telemetry, undefined, 'plain'),
      row('untagged', telemetry, undefined),
      row('tagged', telemetry, 'gray'),
    ],
    targets: ['tagged', 'untagged'].map(name => ({ row: name, figure: 'ratio high', atMost: 1.03 })),
  },
]
