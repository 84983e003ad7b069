// Lanes through real brokers and real clients. What cannot be had here says so and counts as skipped.
//
//   npm run test:messages                          tests, a timeline, and chaos with seeds 1 to 3, 2,000 messages each
//   npm run test:messages -- --full                a timeline and seeds 1 to 10 with 10,000 messages each
//   npm run test:messages -- --ci                  seed 1
//   npm run test:messages -- --fuzz=1000           the fuzz of carriers alone, 1,000 messages for each client
//   npm run test:messages -- --fuzz --nodes=20,22,24,26 --system=kafka --seeds=4
//   npm run test:messages -- --only=model          the protocol of logs, every schedule of small scenarios; no broker
//   npm run test:messages -- --only=chaos --system=bullmq --seeds=4,7 --messages=5000
//   npm run test:messages -- --only=chaos --system=kafka-platformatic    the other client of Kafka
//
// Each timeline and chaos is right when nothing was lost, on the wrong side or without its tag, and no more was doubled
// than was under way where something was killed or frozen. Controls have a fault built in, which has to show.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeBinary } from '../../scripts/node-versions.mjs'
import { installLocked } from '../ecosystem/install.mjs'
import { findKafka, startKafka } from '../servers/kafka/start.mjs'
import { findNats, startNats } from '../servers/nats/start.mjs'
import { findRabbitmq } from '../servers/rabbitmq/start.mjs'
import { findRedis, startRedis } from '../servers/redis/start.mjs'
import { findRocketmq, startRocketmq } from '../servers/rocketmq/start.mjs'
import { chaos } from './chaos.mjs'
import { fuzz, isRight as isFuzzRight } from './fuzz/run.mjs'
import { model } from './model.mjs'
import { readmeExample, recipe } from './readme-example.mjs'
import { timeline } from './timeline.mjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const options = new Map(process.argv.slice(2).map(arg => /^--([a-z]+)(?:=(.*))?$/.exec(arg)?.slice(1) ?? unknown(arg)))
for (const name of options.keys()) {
  if (!['full', 'ci', 'only', 'system', 'seeds', 'messages', 'fuzz', 'nodes'].includes(name)) unknown(`--${name}`)
}

function unknown(arg) {
  console.error(
    `what is ${arg}? There are --full, --ci, --only=model|tests|timeline|chaos|controls|fuzz|recipes, --system=, --seeds=, --messages=, --fuzz=, --nodes=`,
  )
  process.exit(2)
}

const full = options.has('full')
const seeds = (options.get('seeds') ?? (full ? '1,2,3,4,5,6,7,8,9,10' : options.has('ci') ? '1' : '1,2,3'))
  .split(',')
  .map(Number)
const messages = Number(options.get('messages') ?? (full ? 10_000 : 2000))
const chosen = (name, value) => !options.has(name) || options.get(name) === value
if (options.has('fuzz')) options.set('only', 'fuzz')
const fuzzed = Number(options.get('fuzz') ?? (full ? 1000 : options.has('ci') ? 60 : 200))
const ownMajor = Number.parseInt(process.versions.node, 10)
const nodes = (options.get('nodes') ?? (full ? '20,22,24,26' : `${ownMajor}`)).split(',').map(Number)

/** Version 2 of @platformatic/kafka, which needs Node 22.22. */
const PLATFORMATIC_2 = { PLATFORMATIC_KAFKA: 'platformatic-kafka-2' }
const PLATFORMATIC_2_NODE = Math.max(ownMajor, 24)

const SYSTEMS = [
  {
    name: 'bullmq',
    find: findRedis,
    tests: [
      ['bullmq.test.mjs', { BULLMQ: 'bullmq' }],
      ['bullmq.test.mjs', { BULLMQ: 'bullmq5' }],
      ['bullmq-otel.test.mjs', {}],
    ],
    fuzz: ['bullmq5', 'bullmq'].map(BULLMQ => ({ client: 'bullmq', env: { BULLMQ } })),
    environment: server => ({ REDIS_PORT: `${server.port}` }),
    /** Members with a fault, and how it shows; `deaf` is the crash alone, which must not. */
    controls: [
      { control: 'deaf', shows: ({ counts, left }) => counts.lost + counts.doubled + left.length === 0 },
      { control: 'no-fixed-id', shows: ({ counts }) => counts.doubled > 0 },
    ],
  },
  {
    name: 'amqp',
    find: findRabbitmq,
    tests: [
      ['amqp.test.mjs', { AMQPLIB: 'amqplib' }],
      ['amqp.test.mjs', { AMQPLIB: 'amqplib0' }],
      ['amqp.test.mjs', { AMQPLIB: 'amqplib1' }],
      ['rabbitmq-client.test.mjs', {}],
    ],
    fuzz: [
      ...['amqplib0', 'amqplib1', 'amqplib'].map(AMQPLIB => ({ client: 'amqplib', env: { AMQPLIB } })),
      { client: 'amqp-connection-manager' },
      { client: 'rabbitmq-client' },
    ],
    environment: server => ({ AMQP_URL: server.url }),
    controls: [
      { control: 'deaf', shows: ({ counts, left }) => counts.lost + counts.wrong + left.length === 0 },
      { control: 'ack-first', shows: ({ counts }) => counts.lost > 0 },
    ],
  },
  {
    name: 'redis-streams',
    find: findRedis,
    tests: [
      ['redis-streams.test.mjs', { CLIENT: 'ioredis' }],
      ['redis-streams.test.mjs', { CLIENT: 'redis' }],
    ],
    fuzz: [],
    environment: server => ({ REDIS_PORT: `${server.port}` }),
    controls: [
      // What a killed consumer had under way may be handled twice.
      { control: 'none', shows: ({ counts }) => counts.lost + counts.wrong === 0 && counts.doubledByBoth <= 20 },
      {
        control: 'frozen-broker',
        shows: ({ counts }) => counts.lost + counts.wrong === 0 && counts.doubledByBoth <= 40,
      },
      { control: 'polled', shows: ({ counts }) => counts.lost > 0 },
      { control: 'stale', shows: ({ counts }) => counts.doubledByBoth > 20 },
    ],
  },
  {
    name: 'kafka',
    find: findKafka,
    tests: [
      ['kafkajs.test.mjs', {}],
      ['platformatic-kafka.test.mjs', {}],
      ['platformatic-kafka.test.mjs', PLATFORMATIC_2, PLATFORMATIC_2_NODE],
      ['kafkajs-isolation.test.mjs', {}],
      ...(options.has('ci')
        ? []
        : [
            ['platformatic-isolation.test.mjs', {}],
            ['platformatic-isolation.test.mjs', PLATFORMATIC_2, PLATFORMATIC_2_NODE],
          ]),
      ...(full ? [['kafka-ledger.test.mjs', {}]] : []),
    ],
    fuzz: [
      { client: 'kafkajs' },
      { client: 'platformatic-kafka' },
      { client: 'platformatic-kafka', env: PLATFORMATIC_2, sinceNode: 22 },
    ],
    environment: server => ({ KAFKA_BROKER: server.address }),
    // Each kill costs a session and a rebalance: minutes, which CI has not.
    ...(options.has('ci')
      ? { start: startKafka }
      : {
          controls: [
            // Messages of a lane without consumers wait for it; with copied offsets they are lost.
            { control: 'waiting', shows: ({ counts, left }) => counts.lost + counts.doubledByBoth + left.length === 0 },
            { control: 'copied-offsets', shows: ({ counts }) => counts.lost > 0 },
            { control: 'frozen-broker', shows: ({ counts, left }) => counts.lost + counts.wrong + left.length === 0 },
            { control: 'skew-2s', shows: ({ counts }) => counts.lost + counts.wrong + counts.doubledByBoth === 0 },
            // Beyond half the lead both sides may handle a message when a lane begins, and none is lost.
            { control: 'skew-30s', shows: ({ counts }) => counts.lost + counts.wrong === 0 },
            { control: 'stale-view', shows: ({ counts }) => counts.doubledByBoth > 0 },
            { control: 'polling', shows: ({ counts }) => counts.lost + counts.doubledByBoth > 0 },
          ],
        }),
  },
  // The same by the other client. Each kill costs a session and a rebalance: minutes, which CI has not.
  ...(options.has('ci')
    ? []
    : [
        {
          name: 'kafka-platformatic',
          find: findKafka,
          tests: [],
          fuzz: [],
          controls: [
            { control: 'waiting', shows: ({ counts, left }) => counts.lost + counts.doubledByBoth + left.length === 0 },
            { control: 'frozen-broker', shows: ({ counts, left }) => counts.lost + counts.wrong + left.length === 0 },
          ],
        },
      ]),
  {
    name: 'rocketmq',
    find: async () => (await findRocketmq()) ?? findRedis(),
    fuzz: [{ client: 'rocketmq' }],
    tests: [
      ['rocketmq.test.mjs', {}],
      ['rocketmq-isolation.test.mjs', {}],
      ...(options.has('ci') ? [] : [['rocketmq-ends.test.mjs', {}]]),
    ],
    // A lane begins six seconds after its announcement, and an idle request takes five: minutes, which CI has not.
    ...(options.has('ci')
      ? { start: () => startRocketmq({ orders: 'NORMAL', fuzz: 'NORMAL' }) }
      : {
          controls: [
            { control: 'none', shows: ({ counts }) => counts.lost + counts.wrong === 0 && counts.doubledByBoth <= 20 },
            // A broker that was frozen hands out again what was acknowledged, also to a stand-in and to a plain client. One
            // that keeps records hands out what was under way: twice frozen, with two readers, and a lane twice killed.
            { control: 'frozen-broker', shows: ({ counts }) => counts.lost + counts.wrong === 0 },
            { control: 'frozen-broker-plain', shows: ({ counts }) => counts.lost === 0 && counts.doubled > 0 },
            {
              control: 'frozen-broker-by-record',
              shows: ({ counts }) => counts.lost + counts.wrong === 0 && counts.doubled <= 60,
            },
            {
              control: 'frozen-ledger',
              shows: ({ counts }) => counts.lost + counts.wrong === 0 && counts.doubledByBoth <= 20,
            },
            { control: 'polled', shows: ({ counts }) => counts.lost > 0 },
            { control: 'stale', shows: ({ counts }) => counts.doubledByBoth > 20 },
          ],
        }),
    environment: server => ({ ROCKETMQ_PROXY: server.address }),
  },
]

const count = { passed: 0, failed: 0, skipped: 0 }

function report(verdict, where, more) {
  count[verdict]++
  const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[verdict]
  console.log(`${mark} ${where}${more === undefined ? '' : `: ${more}`}`)
}

function runTests(file, env, binary) {
  const args = [
    '--import',
    'tsx',
    '--conditions=@laneway/source',
    '--test-reporter=tap',
    '--test-force-exit',
    `${folder}${file}`,
  ]
  const child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  child.stdout.on('data', chunk => (out += chunk))
  child.stderr.on('data', chunk => (out += chunk))
  return new Promise(resolve => child.once('close', code => resolve({ code, out })))
}

/** Whether a run kept the promise. */
function isRight({ counts, left, mostDoubled }) {
  const { lost, wrong, tagLost, doubled, grayByBaseWhileAlive } = counts
  return lost + wrong + tagLost + grayByBaseWhileAlive === 0 && doubled <= mostDoubled && left.length === 0
}

async function judge(where, run) {
  try {
    const result = await run
    report(isRight(result) ? 'passed' : 'failed', where, JSON.stringify(result))
  } catch (error) {
    report('failed', where, error.stack)
  }
}

async function runFuzz(system, environment) {
  for (const client of system.fuzz) {
    for (const node of nodes) {
      for (const kind of ['esm', 'cjs']) {
        const where = `${system.name}: fuzz of ${Object.values(client.env ?? client)[0]}, ${kind}, Node ${node}, seed ${seeds[0]}`
        if (node < client.sinceNode) {
          report('skipped', where, `it needs Node ${client.sinceNode}`)
          continue
        }
        const result = await fuzz(client, { environment, kind, node, count: fuzzed, seed: seeds[0] })
        if (result.skipped !== undefined) report('skipped', where, result.skipped)
        else {
          const right = result.failed === undefined && isFuzzRight(result)
          report(right ? 'passed' : 'failed', where, result.failed ?? JSON.stringify(result))
        }
      }
    }
  }
}

async function testFile(file, env, node = ownMajor) {
  const binary = await nodeBinary(node)
  if (binary === undefined) return report('skipped', `${file} ${Object.values(env)}`, `no Node ${node}`)
  const { code, out } = await runTests(file, env, binary)
  const lines = out.split('\n')
  const first = lines.findIndex(line => /^\s*not ok/.test(line))
  report(
    code === 0 ? 'passed' : 'failed',
    `${file} ${Object.values(env)}`,
    // A file that dies says so at its end.
    code === 0 ? undefined : (first < 0 ? lines.slice(-30) : lines.slice(first, first + 20)).join('\n'),
  )
}

/** Brokers without a package: the documentation has an example for each. */
const RECIPES = [
  { name: 'nats', find: findNats, start: startNats, environment: ({ address }) => ({ NATS_URL: address }) },
  {
    name: 'moleculer',
    find: findRedis,
    start: startRedis,
    environment: ({ host, port }) => ({ REDIS_URL: `redis://${host}:${port}` }),
  },
  { name: 'redis', find: findRedis, start: startRedis, environment: ({ port }) => ({ REDIS_PORT: `${port}` }) },
]

async function runRecipe({ name, find, start, environment }) {
  const problem = find()
  if (problem !== undefined) return report('skipped', `recipe of ${name}`, problem)
  const server = await start()
  const { code, printed, expected, errors } = await recipe(name, environment(server))
  await server.stop()
  const right = code === 0 && printed === expected
  report(right ? 'passed' : 'failed', `recipe of ${name}`, right ? undefined : `${printed}${errors}`)
}

async function runSystem(system) {
  const problem = await system.find()
  if (problem !== undefined) return report('skipped', system.name, problem)
  if (chosen('only', 'tests')) {
    for (const [file, env, node] of system.tests) await testFile(file, env, node)
  }
  if (system.controls !== undefined) system.module = await import(`./${system.name}-system.mjs`)
  if (system.module === undefined && !chosen('only', 'tests') && !chosen('only', 'fuzz')) return
  const server = await (system.start ?? system.module.start)()
  let runs = 0
  const name = () => `${system.name}-${process.pid}-${++runs}`
  try {
    if (chosen('only', 'tests') && system.environment !== undefined) {
      const { code, printed, expected, errors } = await readmeExample(system.name, system.environment(server))
      const right = code === 0 && printed === expected
      report(right ? 'passed' : 'failed', `${system.name}: README`, right ? undefined : `${printed}${errors}`)
    }
    if (chosen('only', 'fuzz') && system.fuzz.length > 0) await runFuzz(system, system.environment(server))
    if (system.module === undefined) return
    if (chosen('only', 'timeline')) {
      const kills = full ? 10 : 3
      await judge(`${system.name}: timeline`, timeline(system, server, { name: name(), messages, kills }))
    }
    if (chosen('only', 'chaos')) {
      for (const seed of seeds) {
        await judge(`${system.name}: chaos, seed ${seed}`, chaos(system, server, { name: name(), seed, messages }))
      }
    }
    if (chosen('only', 'controls')) {
      for (const { control, shows } of system.controls) {
        const result = await system.module.runControl(system, server, { name: name(), control })
        report(shows(result) ? 'passed' : 'failed', `${system.name}: control ${control}`, JSON.stringify(result))
      }
    }
  } finally {
    await server.stop()
  }
}

await installLocked(folder)
// In CI the light form of the tests of packages/messaging has to do.
if (options.get('only') === 'model' || full) model(report, { most: 150_000, runs: 5000, seed: seeds[0] })
if (options.has('system') && !SYSTEMS.some(({ name }) => name === options.get('system')))
  unknown(`--system=${options.get('system')}`)
for (const system of SYSTEMS) {
  if (chosen('system', system.name)) await runSystem(system)
}
/** Unchanged programs under the preload. */
const UNCHANGED = [
  { file: 'register.test.mjs', find: async () => (await findRedis()) ?? (await findRabbitmq()) },
  { file: 'nest.test.mjs', find: async () => (await findRedis()) ?? (await findRabbitmq()) },
  { file: 'register-kafka.test.mjs', find: findKafka },
  { file: 'trace.test.mjs', find: async () => (await findKafka()) ?? (await findRabbitmq()) ?? findRedis() },
  { file: 'laneway-lanes.test.mjs', find: findKafka },
  { file: 'register-rocketmq.test.mjs', find: findRocketmq },
]
if (chosen('only', 'tests') && !options.has('system')) {
  for (const { file, find } of UNCHANGED) {
    const problem = await find()
    if (problem === undefined) await testFile(file, {})
    else report('skipped', file, problem)
  }
}
if (chosen('only', 'recipes') && !options.has('system')) for (const one of RECIPES) await runRecipe(one)
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exit(count.failed === 0 ? 0 : 1)
