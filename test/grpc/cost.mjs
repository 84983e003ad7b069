// Processor time that Laneway adds to a unary call, over plain grpc-js, in one process that holds client and server:
//
//   node test/grpc/cost.mjs [rounds]
//
// The variants take turns in a new order each round; the figure is the median of the paired differences, with the bounds
// between which 95 of 100 resampled medians lie.
import http2 from 'node:http2'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const grpc = require('@grpc/grpc-js')
const { createChannelPatch } = require('@laneway/grpc/patch')
const { laneServer } = require('@laneway/http')
const { parseLane, runInLane } = require('@laneway/core')
const { createLaneResolver, createStaticSource } = require('@laneway/discovery')

const ROUNDS = Number(process.argv[2] ?? 300)
/** Short blocks: what disturbs the machine for longer meets both sides of a pair. */
const CALLS = 48
const IN_FLIGHT = 16
const text = { serialize: value => Buffer.from(value), deserialize: bytes => bytes.toString() }
const ECHO = {
  say: {
    path: '/test.Echo/Say',
    requestStream: false,
    responseStream: false,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  },
}

async function serve(options, hooked) {
  const { createServer } = http2
  // As the preload wraps it: grpc-js makes its server itself.
  if (hooked) require('node:http2').createServer = (...args) => laneServer(createServer(...args))
  const server = new grpc.Server(options)
  server.addService(ECHO, { say: (_call, callback) => callback(null, 'ok') })
  const port = await new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  require('node:http2').createServer = createServer
  return port
}

const Client = grpc.makeGenericClientConstructor(ECHO, 'Echo')
const plainPort = await serve({}, false)
const hookedPort = await serve({}, true)
const resolver = createLaneResolver({
  sources: [createStaticSource({ 'sc-b': [{ host: '127.0.0.1', port: plainPort }] })],
  services: ['sc-b'],
})
await resolver.ready('sc-b')
const { wrapChannel } = createChannelPatch({ resolver }, error => {
  throw error
})
const LaneChannel = wrapChannel(grpc.Channel)
const insecure = grpc.credentials.createInsecure()
const plainClient = port => new Client(`127.0.0.1:${port}`, insecure)
const laneClient = new Client(`sc-b:${plainPort}`, insecure, {
  channelFactoryOverride: (...args) => new LaneChannel(...args),
})
const direct = plainClient(plainPort)
const toHooked = plainClient(hookedPort)
const gray = new grpc.Metadata()
gray.set('x-mse-tag', 'gray')
const none = new grpc.Metadata()

const VARIANTS = {
  plain: { client: direct, lane: undefined, metadata: none },
  'plain with metadata': { client: direct, lane: undefined, metadata: gray },
  'client, untagged': { client: laneClient, lane: undefined, metadata: none },
  'client, tagged': { client: laneClient, lane: parseLane('gray'), metadata: none },
  'server, untagged': { client: toHooked, lane: undefined, metadata: none },
  'server, tagged': { client: toHooked, lane: undefined, metadata: gray },
}
/** What each variant is compared with: metadata costs by itself. */
const AGAINST = {
  'client, untagged': 'plain',
  'client, tagged': 'plain with metadata',
  'server, untagged': 'plain',
  'server, tagged': 'plain with metadata',
}

function batch({ client, lane, metadata }) {
  const one = () =>
    new Promise((resolve, reject) => client.say('x', metadata, error => (error ? reject(error) : resolve())))
  return runInLane(lane, async () => {
    let left = CALLS
    await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        while (left-- > 0) await one()
      }),
    )
  })
}

async function microseconds(variant) {
  const before = process.cpuUsage()
  await batch(variant)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]
const figures = Object.fromEntries(Object.keys(VARIANTS).map(name => [name, []]))
for (let warm = 0; warm < 12; warm++) for (const variant of Object.values(VARIANTS)) await batch(variant)
for (let round = 0; round < ROUNDS; round++) {
  const order = Object.keys(VARIANTS).sort(() => Math.random() - 0.5)
  for (const name of order) figures[name].push(await microseconds(VARIANTS[name]))
}
console.log(
  `Node ${process.version}, ${ROUNDS} rounds of ${CALLS} calls; plain ${median(figures.plain).toFixed(0)} µs a call`,
)
for (const [name, base] of Object.entries(AGAINST)) {
  const differences = figures[name].map((value, round) => value - figures[base][round])
  const medians = Array.from({ length: 1000 }, () =>
    median(differences.map(() => differences[Math.floor(Math.random() * differences.length)])),
  ).sort((a, b) => a - b)
  const bounds = `${medians[25].toFixed(1)} to ${medians[975].toFixed(1)}`
  console.log(`${name}: ${median(differences).toFixed(1)} µs (${bounds})`)
}
process.exit(0)
