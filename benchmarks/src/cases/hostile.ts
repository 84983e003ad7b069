import { expect, type Figures, type Row, type Table } from '../case.js'
import { GatewayProcess } from '../gateway-client.js'
import { HOSTILE, ORDINARY } from '../hostile-requests.js'

const WARM = 300
const BLOCKS = 7
const REQUESTS = 40
const MOST = 5

/**
 * Processor time of a hostile request over that of an ordinary one, in the same process, blocks in turn. The least of each
 * counts: whatever else runs on the machine only adds.
 */
async function costOf(kind: string, upstream: number, name: string, quick: boolean): Promise<number[]> {
  const process = await GatewayProcess.startService('hostile-service.js', kind, String(upstream))
  try {
    await process.connect()
    const hostile = HOSTILE[name]!
    for (const request of [ORDINARY, hostile]) {
      const body = await process.get(request)
      expect(body.toString() === 'ok', `${kind} answered ${body}`)
    }
    if (quick) return [Number.NaN, Number.NaN]
    await process.block(WARM, ORDINARY)
    await process.block(WARM, hostile)
    const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let block = 0; block < BLOCKS; block++) {
      least[0] = Math.min(least[0]!, await process.block(REQUESTS, ORDINARY))
      least[1] = Math.min(least[1]!, await process.block(REQUESTS, hostile))
    }
    return least
  } finally {
    await process.close()
  }
}

async function compare(kind: string, bare: string, name: string, quick: boolean): Promise<Figures> {
  const upstream = await GatewayProcess.startService('hostile-service.js', 'upstream')
  try {
    const [ordinary = 0, hostile = 0] = await costOf(kind, upstream.port, name, quick)
    const [bareOrdinary = 0, bareHostile = 0] = await costOf(bare, upstream.port, name, quick)
    return {
      'ordinary µs': ordinary,
      'this µs': hostile,
      times: hostile / ordinary,
      'times without Laneway': bareHostile / bareOrdinary,
    }
  } finally {
    await upstream.close()
  }
}

function table(kind: string, bare: string): Table {
  const rows: Row[] = Object.keys(HOSTILE).map(name => ({
    name,
    rounds: 1,
    seconds: 2,
    measure: quick => compare(kind, bare, name, quick),
  }))
  return {
    name: `hostile/${kind}`,
    about: `Processor time of a 16 kB request that is made to cost, over that of an ordinary request of 16 kB (60 query parameters, 90 members of baggage, 110 cookies), in the same process; rules look at query, cookie, header, path and host. "Without Laneway" is the same quotient of ${bare === 'bare' ? 'a bare `node:http` server' : 'a `node:http` server that copies the headers into a call'}.`,
    rows,
    targets: rows.map(({ name }) => ({ row: name, figure: 'times', atMost: MOST })),
  }
}

export const hostile: readonly Table[] = [
  table('node:http', 'bare'),
  table('Express', 'bare'),
  table('Fastify', 'bare'),
  table('http.get that copies', 'bare copy'),
  table('undici that copies', 'bare copy'),
  table('gateway', 'bare copy'),
]
