import { expect, type Figures, type Row, type Table } from '../case.js'
import { GatewayProcess, type MeasuredProcess, ProxyProcess } from '../gateway-client.js'
import { missing, type ProxyName } from '../sidecar/proxy.js'
import { bootstrapMedian, median } from '../statistics.js'

/** Fresh pairs of processes: two processes of the same program differ by a few per cent, and only more of them show it. */
const GENERATIONS = 4
const PAIRS = 30
const REQUESTS = 200
const WARM = 3000

interface Load {
  readonly request: Buffer
  /** How often less, because each is more. */
  readonly share?: number
  check(body: Buffer, kind: string): void
}

function get(path: string, agent: string, check: Load['check'], share = 1): Load {
  const request = `GET ${path} HTTP/1.1\r\nhost: shop.example\r\nuser-agent: ${agent}\r\naccept: application/json\r\naccept-encoding: gzip, deflate\r\ncookie: session=0123456789abcdef\r\n\r\n`
  return { request: Buffer.from(request), check, share }
}

function post(bytes: number): Load {
  const body = 'x'.repeat(bytes)
  const head = `POST /orders HTTP/1.1\r\nhost: shop.example\r\nuser-agent: bench\r\ncontent-type: application/octet-stream\r\ncontent-length: ${bytes}\r\n\r\n`
  return {
    request: Buffer.from(head + body),
    check: answer => expect(answer.toString() === body, `${answer.length} bytes came back`),
  }
}

const small = (lane: string | null): Load['check'] => {
  return (body, kind) => {
    const { id, tag } = JSON.parse(body.toString())
    expect(id === 7 && tag === (kind === 'proxy' ? null : lane), `answered ${body.toString()}`)
  }
}

const isProxyName = (kind: string): kind is ProxyName => kind === 'haproxy' || kind === 'nginx'

function start(kind: string, upstream: number): Promise<MeasuredProcess> {
  return isProxyName(kind)
    ? ProxyProcess.start(kind, { base: upstream, gray: upstream, agent: 'xiaoming' })
    : GatewayProcess.start(kind, String(upstream))
}

async function generation(
  upstream: GatewayProcess,
  [off, on]: readonly [string, string],
  { request, check, share = 1 }: Load,
  quick: boolean,
) {
  const [one, other] = await Promise.all([off, on].map(async kind => (await start(kind, upstream.port)).connect()))
  const pairs = { ratios: [] as number[], off: [] as number[], on: [] as number[] }
  try {
    for (const [process, kind] of [
      [one!, off],
      [other!, on],
    ] as const) {
      check(await process.get(request), kind)
      // The line is written after the answer.
      let { lines } = await process.usage()
      for (let looks = 0; lines === 0 && looks < 100; looks++) lines = (await process.usage()).lines
      expect(lines === 1, `${kind} wrote ${lines} lines of its access log`)
    }
    if (quick) return pairs
    const requests = Math.ceil(REQUESTS * share)
    await one!.block(WARM * share, request)
    await other!.block(WARM * share, request)
    for (let pair = 0; pair < PAIRS; pair++) {
      let before = 0
      if (pair % 2 === 0) before = await one!.block(requests, request)
      const after = await other!.block(requests, request)
      if (pair % 2 === 1) before = await one!.block(requests, request)
      pairs.off.push(before)
      pairs.on.push(after)
      pairs.ratios.push(before / after)
    }
    return pairs
  } finally {
    await Promise.all([one!.close(), other!.close()])
  }
}

async function compare(kinds: readonly [string, string], load: Load, quick: boolean): Promise<Figures> {
  const upstream = await GatewayProcess.start('upstream')
  try {
    const all = []
    for (let count = quick ? 1 : GENERATIONS; count > 0; count--)
      all.push(await generation(upstream, kinds, load, quick))
    if (quick) return { throughput: Number.NaN }
    const bounds = bootstrapMedian(all.map(({ ratios }) => ratios))
    const ratios = all.flatMap(pairs => pairs.ratios)
    return {
      'proxy µs': median(all.flatMap(pairs => pairs.off)),
      'gateway µs': median(all.flatMap(pairs => pairs.on)),
      throughput: { value: median(ratios), raw: ratios },
      'throughput low': bounds.low,
      'throughput high': bounds.high,
      pairs: ratios.length,
    }
  } finally {
    await upstream.close()
  }
}

function row(name: string, load: Load, kinds: readonly [string, string] = ['proxy', 'gateway']): Row {
  return {
    name,
    rounds: 1,
    seconds: 12,
    ...(kinds[0] === kinds[1] && { peer: true }),
    ...(isProxyName(kinds[0]) && { skip: () => missing(kinds[0] as ProxyName) }),
    measure: quick => compare(kinds, load, quick),
  }
}

const loads: readonly (readonly [string, Load])[] = [
  ['GET', get('/orders/7?full=1', 'bench', small(null))],
  ['GET in a lane', get('/orders/7?full=1', 'xiaoming', small('gray'))],
  ['GET 64 KiB', get('/large', 'bench', body => expect(body.length === 65_536, `${body.length} bytes`), 0.5)],
  ['POST 1 KiB', post(1024)],
]
const rows = loads.map(([name, load]) => row(name, load))
const foreign = (['haproxy', 'nginx'] as const).flatMap(program =>
  loads.map(([name, load]) => row(`${program}, ${name}`, load, [program, 'gateway'])),
)
const PAIRS_TEXT =
  'Throughput is the processor time of the proxy for a request over that of the gateway: 1 is as much, more is better. 120 pairs of alternating blocks over four pairs of processes; low and high bound the median (95 %, bootstrap).'

export const gateway: readonly Table[] = [
  {
    name: 'gateway',
    about: `The gateway against \`@fastify/http-proxy\` without lanes, in front of the same upstream, both with an access log and metrics. ${PAIRS_TEXT} A/A compares the proxy with itself: what it shows is noise.`,
    rows: [row('A/A', loads[0]![1], ['proxy', 'proxy']), ...rows],
    targets: rows.map(({ name }) => ({ row: name, figure: 'throughput', atLeast: 1.25 })),
  },
  {
    name: 'gateway/foreign',
    about: `The gateway against HAProxy and nginx with the same work: no tag is taken from outside, one user agent gets a lane, the request goes to the instance of that lane, and each has a line in an access log. ${PAIRS_TEXT} Both are written in C: that they need less is expected, and the table says how much less.`,
    rows: foreign,
    targets: [],
  },
]
