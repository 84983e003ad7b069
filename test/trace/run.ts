// `npm run test:trace`: random trees of calls through undici, fetch, node:http, axios, got and gRPC; the path of each request equals what
// the services saw. Then the gateway: who gets a path from an entrance, and what stands in it. Then messages, where a path ends.
import { request } from 'node:http'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { formatPath, parsePath } from '@laneway/core'
import { createGateway } from '@laneway/gateway'
import { behindHeads, drawPlan, randomOf } from './plan.js'
import { actualText, answered, arrivals, seenText } from './seen.js'
import { leaked, startSender } from './sent.js'
import { type Suite, startServices } from './services.js'

const HELP = `npm run test:trace -- [options]

  --count <n>   requests, half of them traced (default 2000)
  --seed <n>    of the plans (default: of the clock); a failure prints it
  --help        this text
`
const { values } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', default: false } },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
const count = Number(values.count ?? 2000)
const seed = Number(values.seed ?? Date.now() % 1e6)
const counts = { passed: 0, failed: 0 }
const SHOWN = 5
const AT_A_TIME = 8

function check(well: boolean, why: () => string): void {
  if (well) counts.passed++
  else if (counts.failed++ < SHOWN) console.log(`! ${why()}`)
}

interface Answer {
  readonly status: number
  readonly path: string | undefined
}

function send(port: number, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers, agent: false, path: '/' }, response => {
      const path = response.headers['x-laneway-path'] as string | undefined
      response.resume().on('end', () => resolve({ status: response.statusCode!, path }))
    })
      .on('error', reject)
      .end()
  })
}

const planHeader = (plan: object) => Buffer.from(JSON.stringify({ plan, kind: 'call' })).toString('base64')

async function compareTrees({ ports }: Suite): Promise<void> {
  const random = randomOf(seed)
  let sent = 0
  let calls = 0
  const one = async (index: number): Promise<void> => {
    const plan = drawPlan(random, String(index), 3)
    const traced = index % 2 === 0
    const lane = random() < 0.5 ? 'gray' : ''
    const service = ['a', 'b', 'c'][index % 3]!
    const { status, path } = await send(ports[service]![0]!, {
      'x-plan': planHeader(plan),
      ...(lane !== '' && { 'x-mse-tag': lane }),
      ...(traced && { 'x-laneway-trace': '1' }),
    })
    answered(String(index))
    const behind = new Set(behindHeads(plan))
    const where = `request ${index} of --seed ${seed}`
    check(status === 200, () => `${where}: status ${status}`)
    if (!traced) check(path === undefined, () => `${where} did not ask and has ${path}`)
    else {
      const read = parsePath(path)
      // What is longer than 8 kB is cut; that a cut path says so is a matter of the format.
      if (path !== undefined && read !== undefined && !/,\d+\]\]/.test(path)) {
        const [actual, seen] = [actualText(read), seenText(plan, arrivals.get(plan.id)![0]!)]
        check(actual === seen, () => `${where}\n  path ${actual}\n  seen ${seen}\n${formatPath(read)}`)
      } else check(read !== undefined, () => `${where}: no path, ${path}`)
    }
    const questions = [...arrivals].filter(
      ([id, [first]]) => id.split('.')[0] === String(index) && first?.service !== 'outside',
    )
    for (const [id, seen] of questions) {
      calls += seen.length
      for (const { asked } of seen) {
        const expected = traced && !behind.has(id) ? '1' : undefined
        check(asked === expected, () => `${id} was asked ${asked}`)
      }
      arrivals.delete(id)
    }
  }
  const worker = async () => {
    while (sent < count) await one(sent++)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
  console.log(`trees: ${count} requests, ${calls} calls, seed ${seed}: ${counts.passed} right, ${counts.failed} wrong`)
}

async function askEntrance({ resolver }: Suite): Promise<void> {
  const gateway = await createGateway({
    resolver,
    routes: [{ path: { prefix: '/' }, service: 'sc-a' }],
    rules: {
      version: 1,
      rules: [
        { name: 'tester', when: { header: { name: 'x-user', exact: 'tester' } }, lane: 'gray', trace: true },
        { name: 'user', when: { header: { name: 'x-user', exact: 'user' } }, lane: 'gray' },
      ],
    },
    trace: { token: 'of-the-entrance' },
    listeners: [{ host: '127.0.0.1' }],
  })
  await gateway.listen()
  const { port } = gateway.address()
  const plan = planHeader({
    id: 'gateway',
    steps: [{ kind: 'call', via: 'http', to: 'c', plan: { id: 'below', steps: [] }, together: false }],
  })
  const cases: [string, Record<string, string>, RegExp | undefined][] = [
    ['an outsider', { 'x-laneway-trace': '1' }, undefined],
    ['an outsider with a tag', { 'x-laneway-trace': '1', 'x-mse-tag': 'gray' }, undefined],
    ['an outsider of a rule', { 'x-laneway-trace': '1', 'x-user': 'user' }, undefined],
    ['a wrong token', { 'x-laneway-trace': 'of-the-entranc' }, undefined],
    [
      'a token',
      { 'x-laneway-trace': 'of-the-entrance' },
      /^1\["gateway","","","",\[\["sc-a","","","base","",1,200,.*"c","","",""/,
    ],
    [
      'a rule',
      { 'x-laneway-trace': '1', 'x-user': 'tester' },
      /^1\["gateway","","gray","rule tester",\[\["sc-a","gray","gray","lane","".*"c","gray"/,
    ],
    ['a rule without the question', { 'x-user': 'tester' }, undefined],
  ]
  for (const [what, headers, expected] of cases) {
    for (let time = 0; time < 20; time++) {
      const { status, path } = await send(port, { 'x-plan': plan, ...headers })
      const well = expected === undefined ? path === undefined : path !== undefined && expected.test(path)
      check(status === 200 && well && !path?.includes('127.0.0.1'), () => `${what}: ${status} ${path}`)
    }
  }
  await gateway.close()
}

async function sendMessages(): Promise<void> {
  const sender = await startSender()
  for (const lane of ['gray', '']) {
    const { path } = await send(sender.port, { 'x-laneway-trace': '1', ...(lane !== '' && { 'x-mse-tag': lane }) })
    const calls = parsePath(path)?.calls.map(call => `${call.target} ${call.lane ?? ''} ${call.outcome} ${call.status}`)
    check(isDeepStrictEqual(calls, sender.expected(lane)), () => `messages in "${lane}": ${calls?.join(', ')}`)
    const untraced = await send(sender.port, lane === '' ? {} : { 'x-mse-tag': lane })
    check(untraced.path === undefined, () => `an untraced sender answers with ${untraced.path}`)
  }
  check(leaked() === 0, () => `${leaked()} messages carry the trace`)
  sender.close()
}

const suite = await startServices()
await compareTrees(suite)
await askEntrance(suite)
await sendMessages()
await suite.close()
console.log(`trace: ${counts.passed} passed, ${counts.failed} failed`)
process.exit(counts.failed === 0 && counts.passed > count ? 0 : 1)
