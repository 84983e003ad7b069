import { expect, type Figures, type Row, type Table, type Target } from '../case.js'
import { GatewayProcess } from '../gateway-client.js'
import { HOSTILE, ORDINARY } from '../hostile-requests.js'

const WARM = 400
const WARM_EACH = 80
const BLOCKS = 6
const REQUESTS = 24
/** An ordinary request so many times. */
const MOST = 5
/** Where Node or the framework alone costs that much: the same request without Laneway so many times. */
const MOST_OVER_BARE = 3

/** A server, and the one of the same kind without Laneway. */
const KINDS = [
  ['node:http', 'bare'],
  ['Express', 'bare Express'],
  ['Fastify', 'bare Fastify'],
  ['http.get that copies', 'bare copy'],
  ['undici that copies', 'bare copy'],
  ['gateway', 'bare copy'],
] as const

const GROUPS = [...new Set(Object.keys(HOSTILE).map(groupOf))]

function groupOf(name: string): string {
  return name.split(' ', 1)[0]!
}

interface Cost {
  /** Microseconds of an ordinary request. */
  readonly ordinary: number
  /** Microseconds of the hostile one. */
  readonly hostile: number
}

/**
 * Processor time of each hostile request and of an ordinary one, in one process, blocks in turn. The least of each counts:
 * whatever else runs on the machine only adds.
 */
async function costsOf(kind: string, upstream: number, quick: boolean): Promise<Map<string, Cost>> {
  const server = await GatewayProcess.startService('hostile-service.js', kind, String(upstream))
  const costs = new Map<string, Cost>()
  try {
    await server.connect()
    if (!quick) await server.block(WARM, ORDINARY)
    for (const [name, request] of Object.entries(HOSTILE)) {
      // A refused request ends its connection.
      const refused = await refusal(server, request)
      if (refused !== undefined) {
        expect(/^HTTP\/1\.1 4\d\d/.test(refused), `${kind}, ${name}: ${refused}`)
        await server.connect()
        continue
      }
      if (quick) continue
      await server.block(WARM_EACH, request)
      let [ordinary, hostile] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      for (let block = 0; block < BLOCKS; block++) {
        ordinary = Math.min(ordinary, await server.block(REQUESTS, ORDINARY))
        hostile = Math.min(hostile, await server.block(REQUESTS, request))
      }
      costs.set(name, { ordinary, hostile })
    }
    return costs
  } finally {
    await server.close()
  }
}

async function refusal(server: GatewayProcess, request: Buffer): Promise<string | undefined> {
  try {
    const body = await server.get(request)
    expect(body.toString() === 'ok', `answered ${body}`)
    return undefined
  } catch (error) {
    return (error as Error).message.replace(/^answered /, '')
  }
}

async function measure(kind: string, bare: string, quick: boolean): Promise<Figures> {
  const upstream = await GatewayProcess.startService('hostile-service.js', 'upstream')
  try {
    const costs = await costsOf(kind, upstream.port, quick)
    const without = await costsOf(bare, upstream.port, quick)
    if (quick) return { 'ordinary µs': Number.NaN }
    const worst = new Map(GROUPS.map(group => [group, 0]))
    let overBare = 0
    let least = Number.POSITIVE_INFINITY
    for (const [name, { ordinary, hostile }] of costs) {
      const times = hostile / ordinary
      least = Math.min(least, ordinary)
      worst.set(groupOf(name), Math.max(worst.get(groupOf(name))!, times))
      if (times > MOST) overBare = Math.max(overBare, hostile / without.get(name)!.hostile)
    }
    return { 'ordinary µs': least, ...Object.fromEntries(worst), 'over bare': overBare }
  } finally {
    await upstream.close()
  }
}

const rows: readonly Row[] = KINDS.map(([kind, bare]) => ({
  name: kind,
  rounds: 1,
  seconds: 20,
  measure: quick => measure(kind, bare, quick),
}))

const targets: readonly Target[] = rows.flatMap(({ name }) =>
  GROUPS.map(group => ({
    row: name,
    figure: group,
    atMost: MOST,
    or: { figure: 'over bare', atMost: MOST_OVER_BARE },
  })),
)

export const hostile: readonly Table[] = [
  {
    name: 'hostile',
    about:
      'The worst processor time of a 16 kB request that is made to cost, as a multiple of an ordinary request of 16 kB (60 query parameters, 90 members of baggage, 110 cookies) in the same process. `baggage` holds 16 forms such as `%,%,` and `x-mse-tah=gray,`; `lines` are 700 header lines. Rules look at query, cookie, header, path and host. "That copies": a server that sends all headers on, in a lane. "Over bare": forms that cost more than five ordinary requests, as a multiple of the same form in the same server without Laneway (Node makes a header line cost 0.3 µs, Fastify a query parameter); 0 when there are none.',
    rows,
    targets,
  },
]
