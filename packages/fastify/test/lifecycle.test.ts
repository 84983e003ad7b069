import { get } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect as connectSocket } from 'node:net'
import { Writable } from 'node:stream'
import websocket from '@fastify/websocket'
import { currentLane, laneLogFields } from '@laneway/core'
import { fastifyLane } from '@laneway/fastify'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { generations } from './generations.js'

const lane = () => currentLane()?.header

for (const { name, fastify } of generations) {
  t.test(name, async t => {
    await t.test('every hook and handler runs in the lane, in the root, in plugins and on routes', t => hooks(t))
    await t.test('hooks that were there before the plugin run in the lane once it is decided', t => earlier(t))
    await t.test('the completion log line carries the lane', t => completion(t))
    await t.test('onTimeout runs in the lane', t => timeout(t))
    await t.test('onRequestAbort runs in the lane', t => abort(t))
    await t.test('a handler timeout is handled in the lane', { skip: name === 'Fastify 4' && 'it has none' }, t =>
      handlerTimeout(t),
    )
    await t.test('HTTP/2 requests keep the lane, onResponse included', t => http2(t))
    await t.test('encapsulation holds: siblings of the plugin are untouched', t => siblings(t))
    await t.test('registered twice it decides once', t => twice(t))
    await t.test('an upgrade goes to its listener', t => upgrade(t))
    await t.test('WebSocket messages are in the lane', { skip: name === 'Fastify 4' && 'its plugin is for 5' }, t =>
      messages(t),
    )
    await t.test('wrong options stop the start', t => wrong(t))
  })

  function create(options: object = {}): FastifyInstance {
    return fastify(options) as unknown as FastifyInstance
  }

  async function start(t: Test, app: FastifyInstance): Promise<number> {
    t.teardown(() => app.close())
    await app.listen({ port: 0, host: '127.0.0.1' })
    return (app.server.address() as AddressInfo).port
  }

  async function hooks(t: Test) {
    const seen: string[] = []
    const finished: (() => void)[] = []
    const note = (what: string) => seen.push(`${what}:${lane()}`)
    const app = create()
    await app.register(fastifyLane)
    app.addHook('onRequest', (_request, _reply, done) => done(void note('onRequest')))
    app.addHook('onRequest', async () => void note('async onRequest'))
    app.addHook('preParsing', async (_request, _reply, payload) => {
      note('preParsing')
      return payload
    })
    app.addHook('preValidation', async () => void note('preValidation'))
    app.addHook('preHandler', (_request, _reply, done) => {
      setImmediate(() => done(void note('preHandler')))
    })
    app.addHook('preSerialization', async (_request, _reply, payload) => {
      note('preSerialization')
      return payload
    })
    app.addHook('onSend', async () => void note('onSend'))
    app.addHook('onError', async () => void note('onError'))
    app.addHook('onResponse', async () => {
      note('onResponse')
      finished.shift()?.()
    })
    await app.register(async nested => {
      nested.addHook('preHandler', async () => void note('nested preHandler'))
      nested.setErrorHandler((_error, _request, reply) => {
        note('error handler')
        reply.code(500).send({ lane: lane() })
      })
      nested.post('/fail', async () => {
        throw new Error('a handler with a bug')
      })
      nested.post('/body', { onSend: async () => void note('route onSend') }, async request => {
        await new Promise(setImmediate)
        note('handler')
        return { lane: request.lane?.header, body: request.body }
      })
    })
    app.setNotFoundHandler(async () => {
      note('not found handler')
      return { lane: lane() }
    })
    const port = await start(t, app)
    const post = async (path: string, tag: string, body: string) => {
      seen.length = 0
      const end = new Promise<void>(resolve => finished.push(resolve))
      const headers = { 'x-mse-tag': tag, 'content-type': 'text/plain' }
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body })
      const answer = await response.json()
      await end
      return answer
    }
    const all = (names: string, tag: string) => names.split(', ').map(one => `${one}:${tag}`)
    const before = 'onRequest, async onRequest, preParsing, preValidation, preHandler'
    const after = 'preSerialization, onSend'
    for (const [tag, body] of [
      ['gray', 'x'],
      ['blue', 'x'.repeat(300_000)],
    ] as const) {
      t.strictSame(await post('/body', tag, body), { lane: tag, body })
      t.strictSame(seen, all(`${before}, nested preHandler, handler, ${after}, route onSend, onResponse`, tag))
    }
    t.strictSame(await post('/fail', 'gray', 'x'), { lane: 'gray' })
    t.strictSame(seen, all(`${before}, nested preHandler, onError, error handler, ${after}, onResponse`, 'gray'))
    t.strictSame(await post('/none', 'gray', 'x'), { lane: 'gray' })
    t.strictSame(seen, all(`${before}, not found handler, ${after}, onResponse`, 'gray'))
  }

  async function earlier(t: Test) {
    const seen: string[] = []
    const app = create()
    app.addHook('onRequest', async () => void seen.push(`onRequest:${lane()}`))
    app.addHook('preHandler', async () => void seen.push(`preHandler:${lane()}`))
    const end = new Promise<void>(resolve => {
      app.addHook('onResponse', async () => {
        seen.push(`onResponse:${lane()}`)
        resolve()
      })
    })
    await app.register(fastifyLane)
    app.get('/', async () => 'ok')
    const port = await start(t, app)
    await fetch(`http://127.0.0.1:${port}`, { headers: { 'x-mse-tag': 'gray' } })
    await end
    t.strictSame(seen, ['onRequest:undefined', 'preHandler:gray', 'onResponse:gray'])
  }

  async function completion(t: Test) {
    const lines: Record<string, unknown>[] = []
    let heard = () => {}
    const stream = new Writable({
      write(chunk, _encoding, done) {
        const line = JSON.parse(String(chunk))
        lines.push(line)
        if (line.msg === 'request completed') heard()
        done()
      },
    })
    const app = create({ logger: { stream, mixin: laneLogFields } })
    await app.register(fastifyLane)
    app.get('/', async request => {
      request.log.info('in the handler')
      return 'ok'
    })
    const port = await start(t, app)
    for (const tag of ['gray', undefined, 'blue', undefined]) {
      lines.length = 0
      const completed = new Promise<void>(resolve => {
        heard = resolve
      })
      await fetch(`http://127.0.0.1:${port}`, { headers: tag === undefined ? {} : { 'x-mse-tag': tag } })
      await completed
      t.strictSame(
        lines.filter(line => line['msg'] !== 'incoming request').map(line => [line['msg'], line['lane']]),
        [
          ['in the handler', tag],
          ['request completed', tag],
        ],
      )
    }
    lines.length = 0
    await app.inject({ url: '/', headers: { 'x-mse-tag': 'gray' } })
    t.equal(lines.at(-1)?.['lane'], 'gray', 'with inject() too')
  }

  async function timeout(t: Test) {
    const app = create({ connectionTimeout: 20 })
    await app.register(fastifyLane)
    const seen = new Promise(resolve => {
      app.addHook('onTimeout', async request => resolve([lane(), request.lane?.header]))
    })
    app.get('/', () => new Promise(() => {}))
    const port = await start(t, app)
    const failed = fetch(`http://127.0.0.1:${port}`, { headers: { 'x-mse-tag': 'gray' } }).then(
      () => false,
      () => true,
    )
    t.strictSame(await seen, ['gray', 'gray'])
    t.equal(await failed, true)
  }

  async function abort(t: Test) {
    const app = create()
    await app.register(fastifyLane)
    const seen = new Promise(resolve => {
      app.addHook('onRequestAbort', async request => resolve([lane(), request.lane?.header]))
    })
    let arrived = () => {}
    const inHandler = new Promise<void>(resolve => {
      arrived = resolve
    })
    app.get('/', () => {
      arrived()
      return new Promise(() => {})
    })
    const port = await start(t, app)
    const request = get({ port, host: '127.0.0.1', headers: { 'x-mse-tag': 'gray' } }).on('error', () => {})
    await inHandler
    request.destroy()
    t.strictSame(await seen, ['gray', 'gray'])
  }

  async function handlerTimeout(t: Test) {
    const app = create({ handlerTimeout: 20 })
    await app.register(fastifyLane)
    const seen: (string | undefined)[] = []
    app.addHook('onError', async () => void seen.push(lane()))
    app.addHook('onSend', async () => void seen.push(lane()))
    app.get('/', () => new Promise(() => {}))
    const port = await start(t, app)
    const response = await fetch(`http://127.0.0.1:${port}`, { headers: { 'x-mse-tag': 'gray' } })
    t.equal(response.status, 503)
    t.strictSame(seen, ['gray', 'gray'])
  }

  async function http2(t: Test) {
    const seen: (string | undefined)[] = []
    let heard = () => {}
    const app = create({ http2: true })
    await app.register(fastifyLane)
    app.addHook('onResponse', async () => {
      seen.push(lane())
      heard()
    })
    app.post('/', async request => {
      await new Promise(setImmediate)
      return { property: request.lane?.header ?? null, current: lane() ?? null, body: request.body }
    })
    const port = await start(t, app)
    const client = connect(`http://127.0.0.1:${port}`)
    t.teardown(() => client.destroy())
    const send = async (tag: string | undefined) => {
      const end = new Promise<void>(resolve => {
        heard = resolve
      })
      const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
      const stream = client.request({ ':method': 'POST', 'content-type': 'text/plain', ...headers })
      stream.end('body')
      let text = ''
      for await (const chunk of stream) text += chunk
      await end
      return JSON.parse(text)
    }
    for (const tag of ['gray', undefined, 'blue', undefined]) {
      const expected = tag ?? null
      t.strictSame(await send(tag), { property: expected, current: expected, body: 'body' })
    }
    t.strictSame(seen, ['gray', undefined, 'blue', undefined])
  }

  async function siblings(t: Test) {
    const app = create()
    const answer = async (request: object) => ({ current: lane() ?? null, has: 'lane' in request })
    await app.register(async inner => {
      await inner.register(fastifyLane)
      inner.get('/inner', answer)
      await inner.register(async deeper => deeper.get('/deeper', answer))
    })
    await app.register(async sibling => sibling.get('/sibling', answer))
    app.get('/root', answer)
    const port = await start(t, app)
    const ask = async (path: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-mse-tag': 'gray' } })).json()
    t.strictSame(await ask('/inner'), { current: 'gray', has: true })
    t.strictSame(await ask('/deeper'), { current: 'gray', has: true })
    t.strictSame(await ask('/sibling'), { current: null, has: false })
    t.strictSame(await ask('/root'), { current: null, has: false })
  }

  async function twice(t: Test) {
    const app = create()
    await app.register(fastifyLane)
    await app.register(fastifyLane, { trust: 'edge' })
    await app.register(async inner => {
      await inner.register(fastifyLane, { trust: 'edge' })
      inner.get('/inner', async request => request.lane?.header ?? 'none')
    })
    app.get('/', async request => request.lane?.header ?? 'none')
    const port = await start(t, app)
    for (const path of ['/', '/inner']) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-mse-tag': 'gray' } })
      t.equal(await response.text(), 'gray', 'the first decision stands')
    }
  }

  async function upgrade(t: Test) {
    const app = create()
    const before = app.server.listenerCount('upgrade')
    await app.register(fastifyLane)
    app.get('/', async request => request.lane?.header)
    await app.ready()
    t.equal(app.server.listenerCount('upgrade'), before, 'no listener is added')
    const port = await start(t, app)
    // As java.net.http asks on plain requests; with an upgrade listener Node would not answer it.
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connectSocket(port, '127.0.0.1', () => {
        socket.write(
          'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\nx-mse-tag: gray\r\n\r\n',
        )
      })
      let answer = ''
      socket.on('data', chunk => {
        answer += chunk
        if (answer.endsWith('gray')) socket.end()
      })
      socket.on('close', () => resolve(answer))
      socket.on('error', reject)
    })
    t.match(text, /^HTTP\/1\.1 200 /)

    const sockets = new WebSocketServer({ server: app.server })
    t.teardown(() => sockets.close())
    sockets.on('connection', socket => socket.on('message', message => socket.send(`echo ${message}`)))
    t.equal(await exchange(port, 'hello'), 'echo hello')
  }

  async function messages(t: Test) {
    const app = create()
    await app.register(websocket)
    await app.register(fastifyLane)
    app.get('/', { websocket: true }, (socket, request) => {
      const first = lane()
      socket.on('message', () => socket.send(JSON.stringify([request.lane?.header, first, lane()])))
    })
    const port = await start(t, app)
    t.strictSame(JSON.parse(await exchange(port, 'hello', 'gray')), ['gray', 'gray', 'gray'])
    t.strictSame(JSON.parse(await exchange(port, 'hello', 'blue')), ['blue', 'blue', 'blue'])
    t.strictSame(JSON.parse(await exchange(port, 'hello')), [null, null, null])
  }

  async function wrong(t: Test) {
    await t.rejects(register(create(), { thrust: 'edge' }), {
      code: 'LANEWAY_INVALID_OPTION',
      message: /fastifyLane has no option "thrust", did you mean "trust"\?/,
    })
    await t.rejects(register(create(), { tag: 'a b' }), { code: 'LANEWAY_INVALID_TAG' })
    const app = create()
    t.teardown(() => app.close())
    await t.resolves(register(app, { prefix: '/api', logLevel: 'warn' }), 'options of register itself')
    const clash = create()
    clash.decorateRequest('lane', undefined)
    await t.rejects(register(clash, {}), { code: 'FST_ERR_DEC_ALREADY_PRESENT' }, "another plugin's property")
  }
}

async function register(app: FastifyInstance, options: object): Promise<void> {
  await app.register(fastifyLane, options)
}

function exchange(port: number, message: string, tag?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers })
    socket.on('open', () => socket.send(message))
    socket.on('message', answer => {
      resolve(String(answer))
      socket.close()
    })
    socket.on('error', reject)
  })
}
