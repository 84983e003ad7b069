import { expect, type Figures, type Row, type Table, type Target } from '../case.js'
import { type ChainKind, SidecarChain, type Traffic } from '../sidecar/chain.js'
import { missing } from '../sidecar/proxy.js'
import { bootstrapMedian, median, quantile } from '../statistics.js'

const GENERATIONS = 3
const PAIRS = 24
const REQUESTS = 120
/** Newer versions of Node make chains faster for some ten thousand requests. */
const WARM = 20_000
const IN_FLIGHT = 8
const LOADS = [0.2, 0.5, 0.8]
const LOAD_TURNS = 2
const LOAD_SECONDS = 1

type Framework = ChainKind['framework']

const SIDECAR = { way: 'proxied', proxy: { program: 'haproxy' } } as const
const KINDS: readonly { name: string; kind: Omit<ChainKind, 'framework'>; peer?: true }[] = [
  { name: 'A/A', kind: { way: 'plain' }, peer: true },
  { name: 'packages', kind: { way: 'packages' } },
  { name: 'register', kind: { way: 'register' } },
  { name: 'by hand', kind: { way: 'hand' }, peer: true },
  { name: 'OpenTelemetry, without lanes', kind: { way: 'telemetry' }, peer: true },
  { name: 'HAProxy for egress', kind: SIDECAR, peer: true },
  {
    name: 'HAProxy for ingress and egress',
    kind: { way: 'proxied', proxy: { program: 'haproxy', ingress: true } },
    peer: true,
  },
  { name: 'nginx for egress', kind: { way: 'proxied', proxy: { program: 'nginx' } }, peer: true },
]

/** The answer must come from the instance of the lane, and the tag arrive where the way keeps it. */
async function prove(chain: SidecarChain, { way }: Omit<ChainKind, 'framework'>): Promise<void> {
  const keeps = way !== 'plain' && way !== 'telemetry'
  for (const tag of [undefined, 'gray']) {
    const { id, at, tag: arrived } = JSON.parse(await chain.get(tag))
    const carried = keeps ? tag : undefined
    expect(id === 7 && at === (tag ?? 'base') && arrived === (carried ?? null), `${tag} went to ${at} with ${arrived}`)
  }
}

async function withChains<T>(
  framework: Framework,
  kinds: readonly Omit<ChainKind, 'framework'>[],
  use: (chains: readonly SidecarChain[]) => Promise<T>,
): Promise<T> {
  const started = await Promise.allSettled(kinds.map(kind => SidecarChain.start({ framework, ...kind })))
  const chains = started.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason
    for (const [index, chain] of chains.entries()) await prove(chain, kinds[index]!)
    return await use(chains)
  } finally {
    await Promise.all(chains.map(chain => chain.close()))
  }
}

/** Blocks of plain, of the sidecar and of the kind take turns; each block is held against those beside it. */
async function processorTime(
  framework: Framework,
  kind: Omit<ChainKind, 'framework'>,
  quick: boolean,
): Promise<Figures> {
  const ways: readonly { name: string; inFlight: number; traffic: Traffic }[] = [
    { name: 'untagged', inFlight: IN_FLIGHT, traffic: 'untagged' },
    { name: 'tagged', inFlight: IN_FLIGHT, traffic: 'tagged' },
    { name: 'one in flight', inFlight: 1, traffic: 'half' },
    { name: 'half tagged', inFlight: IN_FLIGHT, traffic: 'half' },
  ]
  const added = new Map(ways.map(({ name }) => [name, [] as number[][]]))
  const shares: number[] = []
  for (let count = quick ? 1 : GENERATIONS; count > 0; count--) {
    await withChains(framework, [{ way: 'plain' }, SIDECAR, kind], async chains => {
      if (quick) return
      for (const chain of chains) await chain.block(WARM, IN_FLIGHT, 'half')
      for (const { name, inFlight, traffic } of ways) {
        const ofKind: number[] = []
        const ofSidecar: number[] = []
        for (let pair = 0; pair < PAIRS; pair++) {
          const times: number[] = []
          for (let step = 0; step < chains.length; step++) {
            const at = (pair + step) % chains.length
            times[at] = await chains[at]!.block(REQUESTS, inFlight, traffic)
          }
          ofKind.push(times[2]! - times[0]!)
          ofSidecar.push(times[1]! - times[0]!)
        }
        added.get(name)!.push(ofKind)
        if (name === 'half tagged') shares.push(median(ofKind) / median(ofSidecar))
      }
    })
  }
  if (quick) return { 'half tagged µs': Number.NaN }
  const figures: Record<string, Figures[string]> = {}
  for (const [name, groups] of added) {
    const { low, high } = bootstrapMedian(groups)
    Object.assign(figures, { [`${name} µs`]: median(groups.flat()), [`${name} low`]: low, [`${name} high`]: high })
  }
  return { ...figures, 'of the sidecar': { value: median(shares), raw: shares } }
}

/** Latency at shares of what the plain chain can do, and what this one can do, in turns with the plain chain. */
async function latency(framework: Framework, kind: Omit<ChainKind, 'framework'>, quick: boolean): Promise<Figures> {
  return withChains(framework, [{ way: 'plain' }, kind], async ([plain, other]) => {
    if (quick) return { 'saturation %': Number.NaN }
    const rates: { plain: number; other: number }[] = []
    for (const chain of [plain!, other!]) await chain.block(WARM, 64, 'half')
    for (let turn = 0; turn < LOAD_TURNS; turn++)
      rates.push({ plain: await saturation(plain!), other: await saturation(other!) })
    const capacity = median(rates.map(rate => rate.plain))
    const figures: Record<string, Figures[string]> = {
      'saturation %': {
        value: median(rates.map(rate => (rate.other / rate.plain) * 100)),
        raw: rates.map(rate => (rate.other / rate.plain) * 100),
      },
    }
    for (const share of LOADS) {
      const added = { p50: [] as number[], p99: [] as number[] }
      for (let turn = 0; turn < LOAD_TURNS; turn++) {
        const before = await plain!.load(capacity * share, LOAD_SECONDS, 'half')
        const after = await other!.load(capacity * share, LOAD_SECONDS, 'half')
        added.p50.push(quantile(after, 0.5) - quantile(before, 0.5))
        added.p99.push(quantile(after, 0.99) - quantile(before, 0.99))
      }
      for (const [name, raw] of Object.entries(added))
        figures[`${share * 100} % ${name} ms`] = { value: median(raw), raw }
    }
    return figures
  })
}

/** @returns requests a second */
async function saturation(chain: SidecarChain): Promise<number> {
  const requests = 3000
  const start = performance.now()
  await chain.block(requests, 64, 'half')
  return requests / ((performance.now() - start) / 1000)
}

function rows(framework: Framework, seconds: number, measure: typeof processorTime, rounds?: number): Row[] {
  return KINDS.map(({ name, kind, peer }) => ({
    name,
    ...(rounds !== undefined && { rounds }),
    seconds,
    ...(peer && { peer }),
    skip: () => missing('haproxy') ?? (kind.proxy && missing(kind.proxy.program)),
    measure: quick => measure(framework, kind, quick),
  }))
}

const targets: readonly Target[] = [
  { row: 'packages', figure: 'of the sidecar', atMost: 1 / 4, nodes: { below: 24 } },
  { row: 'packages', figure: 'of the sidecar', atMost: 1 / 8, nodes: { from: 24 } },
  { row: 'register', figure: 'untagged µs', atMost: 5, nodes: { from: 24 } },
  { row: 'register', figure: 'tagged µs', atMost: 15, nodes: { from: 24 } },
]

const chainOf = (framework: string) =>
  `client -> ${framework} -> undici -> Fastify, each service in a process of its own`

export const sidecar: readonly Table[] = [
  {
    name: 'sidecar/fastify',
    about: `Processor time that a way to keep lanes adds to a request through ${chainOf('Fastify')}: all processes of the chain, proxies included, over the same chain without lanes, in which the path names the instance, so that both use two instances alike. 8 in flight, half of the requests tagged, unless the figure says otherwise. Blocks of the plain chain, of HAProxy as egress sidecar and of the row take turns; low and high bound the median (95 %, bootstrap). Behind a proxy the program still carries the header by hand.`,
    rows: rows('fastify', 40, processorTime, 1),
    targets,
  },
  {
    name: 'sidecar/express',
    about: 'The same with Express in front.',
    rows: rows('express', 50, processorTime, 1),
    targets: [...targets.slice(0, 2), { row: 'packages', figure: 'tagged µs', atMost: 25, nodes: { below: 24 } }],
  },
  {
    name: 'sidecar/latency',
    about: `What is added to p50 and p99 at 20, 50 and 80 % of what the plain chain can do, by requests in a steady rhythm; and how many requests a second the chain can do, in % of the plain one. ${chainOf('Fastify')}, the client on the same processors.`,
    rows: rows('fastify', 18, latency),
    targets: [],
  },
]
