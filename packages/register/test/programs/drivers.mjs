// Classes with the methods by which the drivers are told. Each keeps one connection, opened by the first request that
// needs it, and calls back when an answer arrives there, as the driver does.
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import net from 'node:net'
import { Stream } from 'node:stream'
import util from 'node:util'
import { currentLane } from '@laneway/core'

const echo = net.createServer(socket => socket.pipe(socket)).listen(0, '127.0.0.1')
await once(echo, 'listening')

class Connection {
  #waiting = []
  #socket
  constructor(prepare = () => {}) {
    this.#socket = new net.Socket()
    prepare(this.#socket)
    this.#socket.connect(echo.address().port, '127.0.0.1')
    this.#socket.on('data', bytes => {
      for (let i = 0; i < bytes.length; i++) this.#waiting.shift()()
    })
  }
  send(answered) {
    this.#waiting.push(answered)
    this.#socket.write('.')
  }
}

/** One object for whoever needs the connection, with methods that only have to be there. */
class Base extends EventEmitter {
  connection = new Connection()
}
const nothing = () => {}
const withMethods = (Class, ...names) => {
  for (const name of names) Class.prototype[name] ??= nothing
  return Class
}

class Mysql2 extends Base {
  addCommand(command) {
    this.connection.send(() => {
      command?.onResult?.()
      command?.emit('end')
    })
  }
}
withMethods(Mysql2, 'handlePacket', 'writePacket')

function MysqlProtocol() {
  Stream.call(this)
  this.connection = new Connection()
}
util.inherits(MysqlProtocol, Stream)
MysqlProtocol.prototype._enqueue = function (sequence) {
  this.connection.send(() => {
    sequence._callback?.()
    sequence.emit('end')
  })
}
withMethods(MysqlProtocol, '_dequeue', '_parsePacket', 'handshake')

class Mariadb extends Base {
  constructor() {
    super()
    this.addCommand = this.addCommandQueue
  }
  addCommandQueue(command) {
    this.connection.send(() => process.nextTick(command.resolve))
  }
}
withMethods(Mariadb, 'addCommandEnable', 'addCommandEnablePipeline')

class Pg extends Base {
  query(config, values, callback) {
    const called = callback ?? (typeof values === 'function' ? values : config.callback)
    this.connection.send(() => (config.submit ? config.emit('end') : called()))
  }
  connect(callback) {
    this.connection.send(callback)
  }
}
withMethods(Pg, '_pulseQueryQueue')

class Cursor extends Base {
  read(_rows, callback) {
    this.connection.send(callback)
  }
}
withMethods(Cursor, 'submit', 'close', 'handlePortalSuspended')

class Redis extends Base {
  internal_send_command(command) {
    this.connection.send(() => command.callback())
  }
}

const oneCallback = (method, ...others) => {
  class Driver extends Base {
    [method](...args) {
      this.connection.send(args.at(-1))
    }
  }
  return withMethods(Driver, ...others)
}

/** A pool of one: who has to wait is called by the one that releases. */
const pool = (get, release, ...others) => {
  class Pool extends EventEmitter {
    constructor() {
      super()
      this.waiting = []
      this.free = true
    }
    [get](...args) {
      const callback = args.at(-1)
      if (!this.free) return void this.waiting.push(callback)
      this.free = false
      callback(null, this)
    }
    [release]() {
      this.free = true
      const next = this.waiting.shift()
      if (next) this[get](next)
    }
  }
  return withMethods(Pool, ...others)
}

class Tedious extends Base {
  makeRequest(request) {
    this.connection.send(() => request.callback())
  }
}
withMethods(Tedious, 'transitionTo')

// No constructor of EventEmitter runs for it.
function Memcached() {
  this.connection = new Connection(socket => {
    socket.memcached = this
  })
}
Object.setPrototypeOf(Memcached.prototype, EventEmitter.prototype)
Memcached.prototype.command = function (compile) {
  const query = compile()
  this.connection.send(() => query.callback())
}
withMethods(Memcached, 'connectionIssue', 'multi')

const emitter = properties => Object.assign(new EventEmitter(), properties)
const lazily = (Class, call) => {
  let one
  return done => {
    one ??= new Class()
    call(one, done)
  }
}
const pooled = (Class, get, release) =>
  lazily(Class, (one, done) =>
    one[get](() => {
      done()
      setTimeout(() => one[release](), 1)
    }),
  )

const cases = {
  'mysql callback': lazily(MysqlProtocol, (one, done) => one._enqueue(emitter({ _callback: done }))),
  'mysql event': lazily(MysqlProtocol, (one, done) => one._enqueue(emitter({}).on('end', done))),
  'mysql pool': pooled(
    pool('getConnection', 'releaseConnection', 'acquireConnection'),
    'getConnection',
    'releaseConnection',
  ),
  'mysql2 callback': lazily(Mysql2, (one, done) => one.addCommand(emitter({ onResult: done }))),
  'mysql2 event': lazily(Mysql2, (one, done) => one.addCommand(emitter({}).on('end', done))),
  'mysql2 pool': pooled(pool('getConnection', 'releaseConnection'), 'getConnection', 'releaseConnection'),
  'mariadb callback': lazily(Mariadb, (one, done) => one.addCommand(emitter({ resolve: done, reject: nothing }))),
  'mariadb pool': pooled(pool('getConnection', 'release', 'taskQueueSize'), 'getConnection', 'release'),
  'pg callback': lazily(Pg, (one, done) => one.query('text', done)),
  'pg values': lazily(Pg, (one, done) => one.query('text', [1], done)),
  'pg config': lazily(Pg, (one, done) => one.query({ text: 'text', callback: done })),
  'pg query object': lazily(Pg, (one, done) => one.query(emitter({ submit: nothing }).on('end', done))),
  'pg connect': lazily(Pg, (one, done) => one.connect(done)),
  'pg cursor': lazily(Cursor, (one, done) => one.read(1, done)),
  'pg pool': pooled(pool('connect', 'newClient', '_pulseQueue'), 'connect', 'newClient'),
  redis: lazily(Redis, (one, done) => one.internal_send_command({ callback: done })),
  'amqplib rpc': lazily(oneCallback('_rpc', 'sendOrEnqueue'), (one, done) => one._rpc('method', {}, 1, done)),
  'amqplib confirm': lazily(oneCallback('pushConfirmCallback'), (one, done) => one.pushConfirmCallback(done)),
  memcached: lazily(Memcached, (one, done) => one.command(() => ({ callback: done }))),
  memjs: lazily(oneCallback('onResponse', 'onConnect', 'onError', 'respond'), (one, done) => one.onResponse(1, done)),
  tedious: lazily(Tedious, (one, done) => one.makeRequest(emitter({ callback: done }))),
  'mongodb pool': lazily(oneCallback('checkOut', 'checkIn'), (one, done) => one.checkOut(done)),
  'mongodb topology': lazily(oneCallback('selectServer', 'connect'), (one, done) => one.selectServer({}, done)),
  'mongodb command': lazily(oneCallback('command', 'destroy'), (one, done) => one.command('ns', {}, {}, done)),
  'mongodb 2 pool': lazily(oneCallback('write', 'allConnections', 'isConnected'), (one, done) => one.write({}, done)),
  cassandra: lazily(oneCallback('sendStream', 'prepareOnce'), (one, done) => one.sendStream({}, {}, done)),
  'cassandra rows': lazily(oneCallback('eachRow', 'execute'), (one, done) => one.eachRow('text', [], done)),
  mqtt: lazily(oneCallback('publish', 'subscribe', 'unsubscribe', 'handleMessage'), (one, done) =>
    one.publish('topic', done),
  ),
}

// A driver whose command is not what its class promises.
const odd = new Mysql2()

const server = createServer((req, res) => {
  const name = decodeURIComponent(req.url.slice(1))
  if (name === '') return res.end(JSON.stringify(Object.keys(cases)))
  if (name === 'odd') {
    odd.addCommand(undefined)
    return res.end('served')
  }
  cases[name](() => {
    const seen = currentLane()?.header ?? 'none'
    setImmediate(() => res.end(seen))
  })
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
