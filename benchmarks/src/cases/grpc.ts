import type { Figures, Row, Table } from '../case.js'
import { type GrpcKind, GrpcPair } from '../grpc-pair.js'
import { bootstrapMedian, median } from '../statistics.js'

/** Fresh processes: two of the same program differ by a few per cent, and only more of them show it. */
const GENERATIONS = 5
const PAIRS = 60
const CALLS = 80
const WARM = 1500

type Side = 'client' | 'server'

const PLAIN: GrpcKind = { client: 'plain', server: 'plain' }

interface Blocks {
  readonly before: number[]
  readonly after: number[]
  readonly differences: number[]
}

async function generation(on: GrpcKind, tag: string, side: Side, quick: boolean): Promise<Blocks> {
  const blocks: Blocks = { before: [], after: [], differences: [] }
  const [one, other] = await Promise.all([GrpcPair.start(PLAIN, tag, side), GrpcPair.start(on, tag, side)])
  try {
    if (quick) {
      await other.block(1)
      return blocks
    }
    await one.warm(WARM)
    await other.warm(WARM)
    for (let pair = 0; pair < PAIRS; pair++) {
      let before = 0
      if (pair % 2 === 0) before = await one.block(CALLS)
      const after = await other.block(CALLS)
      if (pair % 2 === 1) before = await one.block(CALLS)
      blocks.before.push(before)
      blocks.after.push(after)
      blocks.differences.push(after - before)
    }
    return blocks
  } finally {
    await Promise.all([one.close(), other.close()])
  }
}

async function compare(on: GrpcKind, tag: string, side: Side, quick: boolean): Promise<Figures> {
  const all: Blocks[] = []
  for (let count = quick ? 1 : GENERATIONS; count > 0; count--) all.push(await generation(on, tag, side, quick))
  if (quick) return { 'difference µs': Number.NaN }
  const groups = all.map(({ differences }) => differences)
  const { low, high } = bootstrapMedian(groups)
  const differences = groups.flat()
  return {
    'off µs': median(all.flatMap(({ before }) => before)),
    'on µs': median(all.flatMap(({ after }) => after)),
    'difference µs': { value: median(differences), raw: differences },
    'µs low': low,
    'µs high': high,
    pairs: differences.length,
  }
}

function row(name: string, side: Side, on: Partial<GrpcKind>, tag = ''): Row {
  return {
    name,
    rounds: 1,
    seconds: 15,
    measure: quick => compare({ ...PLAIN, ...on }, tag, side, quick),
  }
}

export const grpc: readonly Table[] = [
  {
    name: 'hop/grpc',
    about:
      'Processor time of one side of a unary call of grpc-js, 16 in flight, with Laneway against plain grpc-js that sends the same metadata; each side in a process of its own. 300 pairs of alternating blocks over five pairs of processes; low and high bound the median (95 %, bootstrap). A/A compares plain grpc-js with itself: what it shows is noise.',
    rows: [
      row('client A/A', 'client', {}),
      row('client untagged', 'client', { client: 'lane' }),
      row('client tagged', 'client', { client: 'lane' }, 'gray'),
      row('server A/A', 'server', {}),
      row('http2 hook untagged', 'server', { server: 'hook' }),
      row('http2 hook tagged', 'server', { server: 'hook' }, 'gray'),
      row('interceptor untagged', 'server', { server: 'interceptor' }),
      row('interceptor tagged', 'server', { server: 'interceptor' }, 'gray'),
    ],
    targets: [
      { row: 'client untagged', figure: 'µs high', atMost: 5 },
      { row: 'client tagged', figure: 'µs high', atMost: 10 },
      { row: 'http2 hook untagged', figure: 'µs high', atMost: 2 },
      { row: 'http2 hook tagged', figure: 'µs high', atMost: 6 },
      { row: 'interceptor untagged', figure: 'µs high', atMost: 2 },
      { row: 'interceptor tagged', figure: 'µs high', atMost: 6 },
    ],
  },
]
