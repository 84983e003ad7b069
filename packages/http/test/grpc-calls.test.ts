import { EventEmitter, once } from 'node:events'
import http2, { type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { channels, currentLane, type IngressEvent } from '@laneway/core'
import { laneServer } from '@laneway/http'
import t from 'tap'

const now = () => currentLane()?.header ?? '-'

type Test = { teardown(fn: () => unknown): void }
type Headers = Record<string, string | string[]>

async function session(t: Test, server: http2.Http2Server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  return async (headers: Headers, type = 'application/grpc') => {
    const stream = client.request({ ':method': 'POST', ':path': '/a.B/c', 'content-type': type, ...headers })
    stream.setEncoding('utf8')
    stream.end('x')
    let text = ''
    for await (const part of stream) text += part
    return text
  }
}

/** Answers with the lane at once, after a wait, and in the events of the stream. */
function answer(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  const lanes = [now()]
  stream.on('data', () => lanes.push(now()))
  stream.on('end', () => {
    lanes.push(now())
    setImmediate(() => {
      lanes.push(now())
      stream.respond({ ':status': 200 })
      stream.end(`${lanes.join(' ')} ${headers['x-mse-tag']}`)
    })
  })
}

const whole = (lane: string, tag = lane) => `${lane} ${lane} ${lane} ${lane} ${tag === '-' ? undefined : tag}`

t.test('a gRPC call runs in its lane, on a session that calls share', async t => {
  const server = laneServer(http2.createServer())
  server.on('stream', answer)
  const ask = await session(t, server)
  const lanes = ['gray', '-', 'blue', '-', 'gray', '-']
  const asked = lanes.map(lane => ask(lane === '-' ? {} : { 'x-mse-tag': lane }))
  t.strictSame(
    await Promise.all(asked),
    lanes.map(lane => whole(lane)),
  )
  for (const type of ['application/grpc+proto', 'application/grpc-web', 'application/grpc; charset=utf-8']) {
    t.equal(await ask({ 'x-mse-tag': 'gray' }, type), whole('gray'))
  }
})

t.test('a stream of another type is left alone', async t => {
  const server = laneServer(http2.createServer())
  server.on('stream', answer)
  const ask = await session(t, server)
  t.equal(await ask({ 'x-mse-tag': 'gray' }, 'application/json'), whole('-', 'gray'))
})

t.test('a refused tag is not in the headers that the listeners get', async t => {
  const server = laneServer(http2.createServer(), { trust: 'edge' })
  server.on('stream', answer)
  const ask = await session(t, server)
  t.equal(await ask({ 'x-mse-tag': 'gray' }), whole('-'))
  const believing = laneServer(http2.createServer())
  believing.on('stream', answer)
  const tell = await session(t, believing)
  t.equal(await tell({ 'x-mse-tag': ['gray', 'blue'] }), whole('-'), 'two lines that differ')
  t.equal(await tell({ 'x-mse-tag': 'gray-2,gray' }), whole('gray-2,gray'))
})

t.test('a call is counted once, by whichever listeners a server has', async t => {
  const events: IngressEvent[] = []
  const note = (event: unknown) => events.push(event as IngressEvent)
  channels.ingress.subscribe(note)
  t.teardown(() => channels.ingress.unsubscribe(note))
  const requests = laneServer(http2.createServer((_request, response) => response.end(now())))
  t.equal(await (await session(t, requests))({ 'x-mse-tag': 'gray' }), 'gray', 'a request, as in connect')
  const both = laneServer(http2.createServer((_request, response) => response.end(now())))
  const seen: string[] = []
  both.on('stream', () => seen.push(now()))
  t.equal(await (await session(t, both))({ 'x-mse-tag': 'gray' }), 'gray')
  t.strictSame(seen, ['gray'])
  const streams = laneServer(laneServer(http2.createServer()))
  streams.on('stream', answer)
  t.equal(await (await session(t, streams))({ 'x-mse-tag': 'gray' }), whole('gray'))
  t.equal(events.length, 3)
})

t.test('a listener that throws is the error of the server, as without Laneway', async t => {
  const server = laneServer(http2.createServer())
  const failure = new Error('of the listener')
  server.on('stream', () => {
    throw failure
  })
  const headers = { 'content-type': 'application/grpc', 'x-mse-tag': 'gray' }
  const stream = new EventEmitter()
  t.throws(() => server.emit('stream', stream as never, headers, 0, []), failure)
})
