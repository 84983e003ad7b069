// Processor time of Laneway's own code for a call, between two ends that do nothing: what `npm run bench -- hop/grpc`
// measures around a real call, without the noise of the call. Prints median and spread of nine rounds, in microseconds.
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const grpc = require('@grpc/grpc-js')
const { parseLane, runInLane } = require('@laneway/core')
const { createLaneResolver, createStaticSource } = require('@laneway/discovery')
const { laneInterceptor } = require('@laneway/grpc')
const { createChannelPatch } = require('@laneway/grpc/patch')
const { laneServer } = require('@laneway/http')

const CALLS = 40_000
const none = new grpc.Metadata()
const gray = new grpc.Metadata()
gray.set('x-mse-tag', 'gray')
const message = Buffer.from('x')
const status = { code: 0, details: '', metadata: none }

function rounds(call) {
  const values = Array.from({ length: 9 }, () => {
    const before = process.cpuUsage()
    for (let count = 0; count < CALLS; count++) call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / CALLS
  }).sort((a, b) => a - b)
  return `${values[4].toFixed(2)} (${values[0].toFixed(2)} to ${values[8].toFixed(2)})`
}

/** A channel whose calls are answered when the request is whole. */
class Channel {
  getConnectivityState() {
    return grpc.connectivityState.READY
  }

  createCall() {
    return {
      start(metadata, listener) {
        this.metadata = metadata.clone()
        this.listener = listener
      },
      startRead() {},
      sendMessageWithContext() {},
      halfClose() {
        this.listener.onReceiveMetadata(none)
        this.listener.onReceiveMessage(message)
        this.listener.onReceiveStatus(status)
      },
    }
  }
}

const resolver = createLaneResolver({
  sources: [createStaticSource({ 'sc-b': [{ host: '127.0.0.1', port: 50051 }] })],
  services: ['sc-b'],
})
await resolver.ready('sc-b')
const LaneChannel = createChannelPatch({ resolver }, console.error).wrapChannel(Channel)
const listener = { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus() {} }

function callOn(channel) {
  const call = channel.createCall('/a/b', Infinity, undefined, null, undefined)
  call.start(new grpc.Metadata(), listener)
  call.startRead()
  call.sendMessageWithContext({}, message)
  call.halfClose()
}

const lane = new LaneChannel('sc-b:50051', grpc.credentials.createInsecure(), {})
console.log(
  'client, without:   ',
  rounds(() => callOn(new Channel())),
)
console.log(
  'client, untagged:  ',
  rounds(() => callOn(lane)),
)
console.log(
  'client, tagged:    ',
  runInLane(parseLane('gray'), () => rounds(() => callOn(lane))),
)

const baseCall = metadata => ({
  start(inner) {
    inner.onReceiveMetadata(metadata.clone())
    inner.onReceiveMessage(message)
    inner.onReceiveHalfClose()
  },
  sendMetadata() {},
  sendMessage: (_message, callback) => callback(),
  sendStatus() {},
  getPeer: () => '127.0.0.1:7777',
})
const serverListener = { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveHalfClose() {}, onCancel() {} }

function serve(call) {
  call.start(serverListener)
  call.sendMetadata(none)
  call.sendMessage(message, () => {})
  call.sendStatus({ code: 0 })
}

const intercept = laneInterceptor()
for (const [name, metadata] of Object.entries({ untagged: none, tagged: gray })) {
  console.log(
    `interceptor, ${name}, without:`,
    rounds(() => serve(baseCall(metadata))),
  )
  console.log(
    `interceptor, ${name}:         `,
    rounds(() => serve(intercept({ path: '/a/b' }, baseCall(metadata)))),
  )
}

const socket = { remoteAddress: '127.0.0.1' }
const plain = new EventEmitter()
const hooked = laneServer(new EventEmitter())
for (const server of [plain, hooked]) server.on('stream', stream => stream.on('data', () => {}))

function emitOn(server, tag) {
  const stream = Object.assign(new EventEmitter(), { session: { socket } })
  const headers = { ':path': '/a/b', 'content-type': 'application/grpc' }
  if (tag !== undefined) headers['x-mse-tag'] = tag
  server.emit('stream', stream, headers, 0, [':method', 'POST'])
  stream.emit('data', message)
}

for (const tag of [undefined, 'gray']) {
  const name = tag === undefined ? 'untagged' : 'tagged'
  console.log(
    `http2 hook, ${name}, without:`,
    rounds(() => emitOn(plain, tag)),
  )
  console.log(
    `http2 hook, ${name}:         `,
    rounds(() => emitOn(hooked, tag)),
  )
}
process.exit(0)
