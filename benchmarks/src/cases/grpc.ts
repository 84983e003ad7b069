import type { Figures, Row, Table } from '../case.js'
import { type ClientKind, GrpcSides, type ServerKind } from '../grpc-sides.js'
import { bootstrapMedian, median } from '../statistics.js'

/** Fresh processes: two of the same program differ by a few per cent, and only more of them show it. */
const GENERATIONS = 5
const PAIRS = 80
const CALLS = 48
/** After 2,000 calls much of a call still runs uncompiled, Laneway's part too: it cost 5 µs more than after 12,800. */
const WARM = 10_000

interface Blocks {
  readonly before: number[]
  readonly after: number[]
  readonly differences: number[]
}

async function generation(sides: GrpcSides, quick: boolean): Promise<Blocks> {
  const blocks: Blocks = { before: [], after: [], differences: [] }
  try {
    if (quick) {
      await sides.block(0, 1)
      await sides.block(1, 1)
      return blocks
    }
    await sides.warm(WARM)
    for (let pair = 0; pair < PAIRS; pair++) {
      let before = 0
      if (pair % 2 === 0) before = await sides.block(0, CALLS)
      const after = await sides.block(1, CALLS)
      if (pair % 2 === 1) before = await sides.block(0, CALLS)
      blocks.before.push(before)
      blocks.after.push(after)
      blocks.differences.push(after - before)
    }
    return blocks
  } finally {
    await sides.close()
  }
}

async function compare(start: () => Promise<GrpcSides>, quick: boolean): Promise<Figures> {
  const all: Blocks[] = []
  for (let count = quick ? 1 : GENERATIONS; count > 0; count--) all.push(await generation(await start(), quick))
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

function row(name: string, start: () => Promise<GrpcSides>, peer: boolean): Row {
  return { name, rounds: 1, seconds: 20, ...(peer && { peer }), measure: quick => compare(start, quick) }
}

const PLAIN: ClientKind = { client: 'plain', tag: '' }
const TAG: ClientKind = { client: 'plain', tag: 'gray' }
const HAND: ClientKind = { client: 'hand', tag: 'gray' }

function client(name: string, off: ClientKind, on: ClientKind): Row {
  return row(`client ${name}`, () => GrpcSides.clients([off, on]), on.client !== 'lane')
}

function server(name: string, kind: ServerKind['server'], tag: string): Row {
  const sides: ServerKind[] = [
    { server: 'plain', tag },
    { server: kind, tag },
  ]
  return row(name, () => GrpcSides.servers(sides), kind === 'plain' || kind === 'context')
}

export const grpc: readonly Table[] = [
  {
    name: 'hop/grpc',
    about:
      'Processor time of one side of a unary call of grpc-js, 16 in flight, with Laneway against plain grpc-js whose calls have the same metadata, unless the row says otherwise. Each compared side is a process of its own; both have the same plain process at the other end. 400 pairs of alternating blocks over five pairs of processes, each after 10,000 calls; low and high bound the median (95 %, bootstrap). A/A compares plain grpc-js with itself: what it shows is noise. The tag by hand is one `Metadata` for all calls, or an `AsyncLocalStorage` and a `Metadata` for each call; the context by hand is an `AsyncLocalStorage` that the handler runs in.',
    rows: [
      client('A/A', PLAIN, PLAIN),
      client('tag by hand, against none', PLAIN, TAG),
      client('tag and context by hand', TAG, HAND),
      client('untagged', PLAIN, { client: 'lane', tag: '' }),
      client('tagged', TAG, { client: 'lane', tag: 'gray' }),
      client('tagged, against none', PLAIN, { client: 'lane', tag: 'gray' }),
      client('tagged, against by hand', HAND, { client: 'lane', tag: 'gray' }),
      server('server A/A', 'plain', ''),
      server('context by hand', 'context', 'gray'),
      server('http2 hook untagged', 'hook', ''),
      server('http2 hook tagged', 'hook', 'gray'),
      server('interceptor untagged', 'interceptor', ''),
      server('interceptor tagged', 'interceptor', 'gray'),
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
