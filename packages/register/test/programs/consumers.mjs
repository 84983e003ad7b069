// Consumers with the methods by which the libraries are told, and connections of all kinds: opened by the first request,
// they deliver to one listener. Answers the lane in which each delivery arrived.
import dgram from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import http, { createServer } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import tls from 'node:tls'
import util from 'node:util'
import { currentLane } from '@laneway/core'

const lane = () => currentLane()?.header ?? 'none'

/** Takes messages one by one, in a loop of promises that the method starts. */
async function loop(consumer, handler) {
  consumer.messages = []
  for (;;) {
    await later(1)
    if (consumer.messages.length > 0) handler(consumer.messages.shift())
  }
}
const withMethods = (Class, ...names) => {
  for (const name of names) Class.prototype[name] ??= () => {}
  return Class
}

class Runner extends EventEmitter {
  async start() {
    void loop(this, this.handler)
  }
}
withMethods(Runner, 'fetch', 'processEachMessage', 'processEachBatch')

class Worker extends EventEmitter {
  constructor(handler) {
    super()
    this.handler = handler
    this.run()
  }
  async run() {
    void loop(this, this.handler)
  }
}
withMethods(Worker, 'waitUntilReady')

// No constructor of EventEmitter runs for it.
function Bull() {}
util.inherits(Bull, EventEmitter)
Bull.prototype.process = function (handler) {
  this.handler = handler
  this._initProcess()
  return this.run()
}
Bull.prototype.run = async function () {
  void loop(this, this.handler)
}
withMethods(Bull, 'processJobs', '_initProcess')

class Bee extends EventEmitter {
  process(handler) {
    void loop(this, handler)
  }
}
withMethods(Bee, '_waitForJob', '_runJob', 'checkStalledJobs')

class Sqs extends EventEmitter {
  start() {
    void loop(this, this.handler)
  }
}
withMethods(Sqs, 'poll', 'handleSqsResponse')

const looping = (consumer, start) => {
  start(consumer)
  return message => consumer.messages.push(message)
}

/** Sends what it is given to whoever is connected. */
const hub = net.createServer(socket => sockets.add(socket)).listen(0, '127.0.0.1')
const sockets = new Set()
/** Without certificates: nobody has to make one for a connection to itself. */
const ANONYMOUS = {
  ciphers: 'ADH-AES256-SHA256:@SECLEVEL=0',
  dhparam: 'auto',
  maxVersion: 'TLSv1.2',
  rejectUnauthorized: false,
}
const secureHub = tls.createServer(ANONYMOUS, socket => sockets.add(socket)).listen(0, '127.0.0.1')
await once(secureHub, 'listening')
const publish = message => {
  for (const socket of sockets) socket.write(`${message}\n`)
}

const cases = {
  kafkajs: handler => looping(Object.assign(new Runner(), { handler }), consumer => consumer.start()),
  bullmq: handler => looping(new Worker(handler), () => {}),
  bull: handler => looping(new Bull(), queue => queue.process(handler)),
  'bee-queue': handler => looping(new Bee(), queue => queue.process(handler)),
  'sqs-consumer': handler => looping(Object.assign(new Sqs(), { handler }), consumer => consumer.start()),
  async socket(handler) {
    const socket = net.connect(hub.address().port, '127.0.0.1')
    socket.on('data', handler)
    await once(socket, 'connect')
    return publish
  },
  async 'socket of its own class'(handler) {
    const socket = new (class extends net.Socket {})()
    socket.connect({ port: hub.address().port, host: 'localhost', family: 4 })
    socket.on('data', handler)
    await once(socket, 'connect')
    return publish
  },
  async tls(handler) {
    const socket = tls.connect({ ...ANONYMOUS, host: '127.0.0.1', port: secureHub.address().port })
    socket.on('data', handler)
    await once(socket, 'secureConnect')
    return publish
  },
  async datagrams(handler) {
    const socket = dgram.createSocket('udp4', handler)
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const sender = dgram.createSocket('udp4')
    return message => sender.send(`${message}`, socket.address().port, '127.0.0.1')
  },
}

/** The lane in which an HTTP client learns that its connection is there. */
function connecting({ get, Agent }, options) {
  return new Promise(resolve => {
    const request = get({ host: '127.0.0.1', agent: new Agent(), ...options }, response => response.resume())
    request.on('socket', socket => socket.once('connect', () => resolve(lane())))
    request.on('error', resolve)
  })
}
const plain = http.createServer((_req, res) => res.end()).listen(0, '127.0.0.1')
const secure = https.createServer(ANONYMOUS, (_req, res) => res.end()).listen(0, '127.0.0.1')

const opened = {}
const server = createServer(async (req, res) => {
  const name = decodeURIComponent(req.url.slice(1))
  if (name === '') return res.end(JSON.stringify(Object.keys(cases)))
  if (name === 'http') return res.end(await connecting(http, { port: plain.address().port }))
  if (name === 'https') return res.end(await connecting(https, { ...ANONYMOUS, port: secure.address().port }))
  opened[name] ??= { seen: [], changed: new EventEmitter() }
  const events = opened[name]
  events.send ??= await cases[name](() => {
    events.seen.push(lane())
    events.changed.emit('one')
  })
  const seen = once(events.changed, 'one')
  events.send('message')
  await seen
  res.end(events.seen.at(-1))
})

server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
