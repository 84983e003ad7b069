// Run by run.mjs: interpreter, how many releases are absent, then name and folder of each release.
import http from 'node:http'
import { type Answer, call, startChain, TESTER } from './chain.js'
import { member, OWN_KEYS, type Spoof, spoofs } from './spellings.js'

const [python = '', absent = '0', ...rest] = process.argv.slice(2)
const releases = new Map<string, string>()
for (let index = 0; index + 1 < rest.length; index += 2) releases.set(rest[index]!, rest[index + 1]!)
const only = process.env['PYTHON_ONLY'] ?? ''
/** Every how many spellings an edge is tried with; all edges share one ingress. */
const EDGES = { 'node:http': 1, gateway: 2, Express: 7, Fastify: 7 } as const
const AT_ONCE = 8
const MOST_SHOWN = 20
/** A key of ours as any reader knows it. */
const PLAIN = /(^|,)[ \t]*(x-mse-tag|__microservice_tag__)[ \t]*[=;]/

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE })
const chain = await startChain(python, releases)
let passed = 0
let failed = 0
const ask = async (entrance: string, lines: Spoof['lines']): Promise<Answer> =>
  JSON.parse(await call(chain.ports[entrance]!, lines, agent))

/** @param check - why an input is wrong; `undefined` when it is right */
async function group<T>(name: string, inputs: readonly T[], check: (input: T) => Promise<string | undefined>) {
  if (!name.includes(only)) return
  const started = performance.now()
  const wrong: string[] = []
  let next = 0
  const worker = async () => {
    while (next < inputs.length) {
      const input = inputs[next++]!
      const why = await check(input).catch((error: Error) => error.message)
      if (why !== undefined) wrong.push(why)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  passed += inputs.length - wrong.length
  failed += wrong.length
  const seconds = Math.round((performance.now() - started) / 1000)
  console.log(`${wrong.length === 0 ? 'ok    ' : 'FAILED'} ${name}: ${inputs.length} inputs, ${seconds} s`)
  for (const why of wrong.slice(0, MOST_SHOWN)) console.log(`  ! ${why}`)
  if (wrong.length > MOST_SHOWN) console.log(`  ! and ${wrong.length - MOST_SHOWN} more`)
}

/** Why an answer is not what each service must see. */
function unlike(lane: string, answer: Answer, losing: readonly string[] = []): string | undefined {
  if (answer.lane !== lane) return `the middle service is in lane ${answer.lane}, not ${lane}`
  for (const release of releases.keys()) {
    const arrival = answer.behind[release]
    const expected = losing.includes(release) ? 'none' : lane
    if (arrival?.lane !== expected) {
      return `behind ${release} the lane is ${arrival?.lane}, not ${expected}: ${arrival?.baggage}`
    }
    if (lane === 'none' && PLAIN.test(arrival.baggage)) return `${release} wrote ${arrival.baggage}`
  }
  return undefined
}

const outsiders = spoofs()
for (const [edge, every] of Object.entries(EDGES)) {
  await group(
    `an outsider is in no lane behind Python, edge ${edge}`,
    outsiders.filter((_, index) => index % every === 0),
    async ({ name, lines }) => {
      const why = unlike('none', await ask(edge, lines))
      return why === undefined ? undefined : `${name}: ${why}`
    },
  )
  await group(
    `who the rules colour is in that lane, whatever else is sent, edge ${edge}`,
    outsiders.filter((_, index) => index % 29 === 0),
    async ({ name, lines }) => {
      const why = unlike('blue', await ask(edge, [['Cookie', TESTER], ...lines]))
      return why === undefined ? undefined : `${name}: ${why}`
    },
  )
}

interface Trusted {
  readonly lane: string
  readonly lines: Spoof['lines']
  /** Releases that drop a member with a comma in its value, however escaped: there the lane is none. */
  readonly lost?: readonly string[]
}

const trusted: readonly Trusted[] = [
  { lane: 'none', lines: [] },
  { lane: 'none', lines: [['baggage', 'user=1']] },
  { lane: 'gray', lines: [['x-mse-tag', 'gray']] },
  { lane: 'gray-2,gray', lines: [['x-mse-tag', 'gray-2,gray']], lost: ['1.12.0'] },
  {
    lane: 'gray',
    lines: [
      ['x-mse-tag', 'gray'],
      ['baggage', 'user=1,other=%20x;p=1'],
    ],
  },
  {
    lane: 'blue',
    lines: [
      ['x-mse-tag', 'blue'],
      ['baggage', member('x-mse-tag')],
    ],
  },
  ...OWN_KEYS.flatMap(key =>
    [key, `+${key}`, `${key}+`, `%20${key}`, key.toUpperCase()].flatMap(spelling => [
      { lane: 'gray', lines: [['baggage', member(key, spelling)]] as Spoof['lines'] },
      { lane: 'gray', lines: [['baggage', `user=1,${member(key, spelling)},other=2`]] as Spoof['lines'] },
      {
        lane: 'gray',
        lines: [
          ['baggage', 'user=1'],
          ['baggage', member(key, spelling)],
        ] as Spoof['lines'],
      },
    ]),
  ),
]
await group('the tag of a trusted caller arrives behind Python', trusted, async ({ lane, lines, lost: losing }) => {
  const answer = await ask('inside', lines)
  const why = unlike(lane, answer, losing)
  if (why !== undefined) return `${JSON.stringify(lines)}: ${why}`
  if (!JSON.stringify(lines).includes('user=1')) return undefined
  const lost = Object.values(answer.behind).find(({ baggage }) => !/(^|,)user=1(,|$)/.test(baggage))
  return lost === undefined ? undefined : `${JSON.stringify(lines)}: foreign baggage became ${lost.baggage}`
})

/** How many spellings each release makes plain; the test would say nothing if it were none. */
const undone = new Map([...releases.keys()].map(release => [release, 0]))
await group(
  'control: Python gives some lane to spellings that a plain comparison lets pass',
  outsiders.filter((_, index) => index % 2 === 0),
  async ({ lines }) => {
    const { behind } = await ask('plain comparison', lines)
    for (const [release, { lane, baggage }] of Object.entries(behind)) {
      if (lane === 'gray' && PLAIN.test(baggage)) undone.set(release, undone.get(release)! + 1)
    }
    return undefined
  },
)
if (''.includes(only)) {
  for (const [release, count] of undone) {
    if (count >= 50) passed++
    else failed++
    console.log(
      `${count >= 50 ? 'ok    ' : 'FAILED'} control: opentelemetry-api ${release} made ${count} spellings plain`,
    )
  }
}

await chain.close()
agent.destroy()
console.log(`${passed} passed, ${failed} failed, ${absent} skipped`)
process.exit(failed === 0 ? 0 : 1)
