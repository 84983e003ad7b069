import { createServer, type ServerResponse } from 'node:http'
import { createHttpSource, type HttpSourceOptions } from '@laneway/discovery'
import { listen, SourceReports } from '@laneway/testkit'
import t from 'tap'
import { readEventStream } from '../src/source/http/event-stream.js'

const FAST = { minBackoffMs: 1, maxBackoffMs: 5, namespace: 'shop' }

/** A server that says what the test tells it to. */
async function endpointsServer(t: { teardown(fn: () => unknown): void }) {
  const asked: string[][] = []
  const streams: ServerResponse[] = []
  let wake = () => {}
  const state = { status: 200, type: 'text/event-stream' }
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams.getAll('service'))
    response.writeHead(state.status, { 'content-type': state.type })
    response.flushHeaders()
    if (state.status === 200) streams.push(response)
    else response.end('not now')
    wake()
  })
  const url = `http://127.0.0.1:${await listen(t, server)}`
  return {
    url,
    asked,
    state,
    /** The stream of the nth request that was accepted. */
    async stream(index: number): Promise<ServerResponse> {
      while (streams.length <= index) await new Promise<void>(resolve => (wake = resolve))
      return streams[index]!
    },
    source(options: HttpSourceOptions = {}) {
      const source = createHttpSource(url, { ...FAST, ...options })
      t.teardown(() => source.close())
      return source
    },
  }
}

function send(stream: ServerResponse, type: string, data: object): void {
  stream.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
}

const one = (port: number, ...tags: string[]) => [{ host: '10.0.0.1', port, tags }]

t.test('services are followed over one stream, and reported by version after a reconnect', async t => {
  const server = await endpointsServer(t)
  const source = server.source()
  const [orders, bills] = [new SourceReports(), new SourceReports()]
  source.subscribe('orders', orders.listener)
  source.subscribe('bills', bills.listener)
  const first = await server.stream(0)
  t.strictSame(server.asked, [['orders', 'bills']])
  send(first, 'snapshot', { service: 'orders', version: 'a.1', endpoints: one(80, 'gray') })
  send(first, 'missing', { service: 'bills', version: 'a.2' })
  await orders.untilTable('10.0.0.1:80=gray')
  await bills.until(seen => seen.last === 'missing')
  t.strictSame(source.connection?.(), { connected: true, error: undefined })
  first.destroy()
  const second = await server.stream(1)
  t.strictSame(server.asked[1], ['orders@a.1', 'bills@a.2'])
  send(second, 'current', { service: 'orders' })
  send(second, 'snapshot', { service: 'bills', version: 'a.3', endpoints: one(81) })
  await bills.untilTable('10.0.0.1:81=base')
  t.strictSame(orders.kinds, ['snapshot'], 'a single lost connection is no news, and the same list neither')
  source.subscribe('users', new SourceReports().listener)
  await server.stream(2)
  t.strictSame(server.asked[2], ['orders@a.1', 'bills@a.3', 'users'])
})

t.test('a lost server keeps the last good list, marked stale, until it is back', async t => {
  const server = await endpointsServer(t)
  const source = server.source()
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  const first = await server.stream(0)
  send(first, 'snapshot', { service: 'orders', version: 'a.1', endpoints: one(80) })
  await seen.untilTable('10.0.0.1:80=base')
  server.state.status = 503
  first.destroy()
  await seen.until(one => one.last === 'stale')
  t.equal(seen.table, '10.0.0.1:80=base')
  t.match(seen.errors[0], {
    code: 'LANEWAY_SOURCE',
    message: /the endpoints server 127\.0\.0\.1:\d+ is lost: HTTP 503: not now/,
  })
  t.equal(source.connection?.()?.connected, false)
  const late = new SourceReports()
  source.subscribe('orders', late.listener)
  t.strictSame(late.kinds, ['snapshot', 'stale'], 'who comes later hears the same')
  server.state.status = 200
  send(await server.stream(1), 'current', { service: 'orders' })
  await seen.until(one => one.last === 'snapshot')
  t.equal(seen.table, '10.0.0.1:80=base')
})

t.test('the server says that its own registry is lost', async t => {
  const server = await endpointsServer(t)
  const seen = new SourceReports()
  server.source().subscribe('orders', seen.listener)
  const stream = await server.stream(0)
  send(stream, 'snapshot', { service: 'orders', version: 'a.1', endpoints: one(80) })
  send(stream, 'stale', { service: 'orders', error: 'no API server' })
  await seen.until(one => one.last === 'stale')
  t.match(seen.errors[0]?.message, /no API server/)
  send(stream, 'current', { service: 'orders' })
  await seen.until(one => one.last === 'snapshot')
  t.strictSame(seen.kinds, ['snapshot', 'stale', 'snapshot'])
})

t.test('a list that is refused makes its service stale, and no other one', async t => {
  const snapshot = (part: string) => `event: snapshot\ndata: {"service":"orders",${part}}\n\n`
  const cases: Record<string, string> = {
    'no version': snapshot('"endpoints":[]'),
    'a version that fills the next request': snapshot(`"version":"${'x'.repeat(101)}","endpoints":[]`),
    'no list': snapshot('"version":"a.9","endpoints":{}'),
    'an endpoint that does not say its tags': snapshot('"version":"a.9","endpoints":[{"host":"10.0.0.9","port":1}]'),
    'one of several': snapshot(
      '"version":"a.9","endpoints":[{"host":"10.0.0.8","port":1,"tags":[]},{"host":"10.0.0.9","port":1}]',
    ),
    'tags that are no list': snapshot('"version":"a.9","endpoints":[{"host":"10.0.0.9","port":1,"tags":"gray"}]'),
    'a tag that is no text': snapshot('"version":"a.9","endpoints":[{"host":"10.0.0.9","port":1,"tags":[null]}]'),
  }
  const server = await endpointsServer(t)
  const source = server.source()
  const [orders, bills] = [new SourceReports(), new SourceReports()]
  source.subscribe('orders', orders.listener)
  source.subscribe('bills', bills.listener)
  const stream = await server.stream(0)
  let port = 80
  for (const [name, text] of Object.entries(cases)) {
    send(stream, 'snapshot', { service: 'orders', version: `a.${port}`, endpoints: one(port) })
    await orders.untilTable(`10.0.0.1:${port}=base`)
    stream.write(text)
    await orders.until(seen => seen.last === 'stale')
    t.equal(orders.table, `10.0.0.1:${port}=base`, name)
    send(stream, 'snapshot', { service: 'bills', version: `b.${port}`, endpoints: one(port) })
    await bills.untilTable(`10.0.0.1:${port++}=base`)
  }
  t.notOk(bills.kinds.includes('stale'))
  t.equal(server.asked.length, 1, 'the stream goes on')
})

t.test('what is no event, or cut off, changes nothing; a server that goes on so is lost', async t => {
  const whole = 'event: snapshot\ndata: {"service":"orders","version":"a.9","endpoints":[]}\n'
  const cases: Record<string, string> = {
    'no JSON': 'event: snapshot\ndata: {"service"\n\n',
    'no service': 'event: snapshot\ndata: {"version":"a.1","endpoints":[]}\n\n',
    null: 'event: snapshot\ndata: null\n\n',
    'without its last line': whole,
    'in the middle': whole.slice(0, 40),
  }
  const server = await endpointsServer(t)
  const seen = new SourceReports()
  server.source().subscribe('orders', seen.listener)
  let turn = 0
  for (const [name, text] of Object.entries(cases)) {
    const stream = await server.stream(turn++)
    if (turn === 1) send(stream, 'snapshot', { service: 'orders', version: 'a.1', endpoints: one(80) })
    else send(stream, 'current', { service: 'orders' })
    stream.write(text, () => stream.end())
    await server.stream(turn)
    t.equal(seen.table, '10.0.0.1:80=base', name)
    t.strictSame(server.asked.at(-1), ['orders@a.1'])
  }
  t.ok(seen.kinds.includes('stale'), 'nonsense behind something useful is reported')
})

t.test('a name that no server takes is missing; the others keep their stream', async t => {
  const server = await endpointsServer(t)
  const source = server.source()
  const [strange, long, orders] = [new SourceReports(), new SourceReports(), new SourceReports()]
  source.subscribe('a$b', strange.listener)
  source.subscribe('x'.repeat(256), long.listener)
  source.subscribe('orders', orders.listener)
  t.strictSame([strange.last, long.last], ['missing', 'missing'])
  await server.stream(0)
  t.strictSame(server.asked, [['orders']])
  for (let index = 0; index < 999; index++) source.subscribe(`s${index}`, new SourceReports().listener)
  const last = new SourceReports()
  source.subscribe('one-more', last.listener)
  t.match(last.errors[0], { code: 'LANEWAY_SOURCE', message: /1000 services/ })
})

t.test('an answer that never ends does not hold up the source', async t => {
  let asked = 0
  let wake = () => {}
  const server = createServer((_, response) => {
    asked++
    response.writeHead(503)
    response.write('because')
    wake()
  })
  const url = `http://127.0.0.1:${await listen(t, server)}`
  const source = createHttpSource(url, { ...FAST, requestTimeoutMs: 50 })
  t.teardown(() => source.close())
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.until(one => one.last === 'stale')
  t.match(seen.errors[0]?.message, /HTTP 503/)
  while (asked < 2) await new Promise<void>(resolve => (wake = resolve))
})

t.test('events of other types and of other services are left out', async t => {
  const server = await endpointsServer(t)
  const seen = new SourceReports()
  server.source().subscribe('orders', seen.listener)
  const stream = await server.stream(0)
  stream.write(': a comment\n\nevent: later\ndata: {}\n\n')
  send(stream, 'snapshot', { service: 'bills', version: 'a.1', endpoints: one(80) })
  send(stream, 'snapshot', { service: 'orders', version: 'a.2', endpoints: one(81) })
  await seen.untilTable('10.0.0.1:81=base')
  t.strictSame(seen.kinds, ['snapshot'])
})

t.test('a silent stream is opened anew; an answer of another kind is named', async t => {
  const server = await endpointsServer(t)
  const seen = new SourceReports()
  server.source({ idleTimeoutMs: 30 }).subscribe('orders', seen.listener)
  await server.stream(1)
  server.state.type = 'text/html'
  await seen.until(one => one.errors.some(error => /no event stream but text\/html/.test(error.message)))
  t.pass('said')
})

t.test('before the first answer a server that cannot be reached is reported at once', async t => {
  const source = createHttpSource('http://127.0.0.1:1', FAST)
  const seen = new SourceReports()
  source.subscribe('orders', seen.listener)
  await seen.until(one => one.last === 'stale')
  t.equal(source.connection?.()?.connected, false)
  await source.close()
  const late = new SourceReports()
  source.subscribe('orders', late.listener)
  t.match(late.errors[0], { code: 'LANEWAY_CLOSED' })
})

t.test('the URL and the options are checked', t => {
  for (const url of ['', 'laneway-endpoints:7070', 'ftp://x', 'http://me:secret@x', 7070]) {
    t.throws(() => createHttpSource(url as string), { code: 'LANEWAY_INVALID_OPTION' }, String(url))
  }
  t.throws(() => createHttpSource('http://x', { idleTimeout: 1 } as never), { message: /idleTimeoutMs/ })
  t.end()
})

t.test('events are the same however the bytes are cut, and bounded', t => {
  const text = 'event: a\r\ndata: 1\r\ndata: 2\r\n\r\n: x\n\ndata:3\nid: 7\n\nevent: empty\n\nevent: b\ndata: 泳道\n\n'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size++) {
    const events: unknown[] = []
    const read = readEventStream(event => events.push(event), 100)
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size))
    t.strictSame(events, [
      { type: 'a', data: '1\n2' },
      { type: 'message', data: '3' },
      { type: 'b', data: '泳道' },
    ])
  }
  t.throws(() => readEventStream(() => {}, 10)(Buffer.from('data: 1234567890')), RangeError)
  t.throws(() => readEventStream(() => {}, 10)(Buffer.from('data: 1\ndata: 2\n')), RangeError)
  t.end()
})
