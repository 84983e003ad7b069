import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { bindEmitter, currentLane, LanewayError, runInLane } from '@laneway/core'
import { laneHandler, laneServer } from '@laneway/http'
import { listen, rawRequest } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'

const current = () => currentLane()?.header ?? 'none'

function answer(_request: IncomingMessage, response: ServerResponse): void {
  response.end(`lane=${current()}`)
}

function tagged(tag: string | undefined, extra = ''): string {
  const line = tag === undefined ? '' : `x-mse-tag: ${tag}\r\n`
  return `GET / HTTP/1.1\r\nHost: a\r\n${line}${extra}Connection: close\r\n\r\n`
}

t.test('listeners that were attached before and after laneServer run in the lane', async t => {
  const seen: string[] = []
  const server = http.createServer((_request, response) => {
    seen.push(`before ${current()}`)
    response.write('')
  })
  laneServer(server)
  server.on('request', (_request, response) => {
    seen.push(`after ${current()}`)
    response.end()
  })
  const port = await listen(t, server)
  await rawRequest(port, tagged('gray'))
  await rawRequest(port, tagged(undefined))
  t.strictSame(seen, ['before gray', 'after gray', 'before none', 'after none'])
})

t.test('a listener keeps its `this` and its place, and no listener is added', async t => {
  const server = http.createServer()
  const self: unknown[] = []
  server.on('request', function (this: unknown, _request, response) {
    self.push(this)
    response.end()
  })
  const before = server.eventNames().map(name => [name, server.listenerCount(name)])
  laneServer(server)
  t.strictSame(
    server.eventNames().map(name => [name, server.listenerCount(name)]),
    before,
  )
  await rawRequest(await listen(t, server), tagged('gray'))
  t.equal(self[0], server)
})

t.test('a second laneServer on a server changes nothing', async t => {
  const server = http.createServer(answer)
  const once_ = laneServer(server, { trust: 'edge' })
  const { emit } = server
  t.equal(laneServer(server, { trust: 'internal' }), once_)
  t.equal(server.emit, emit)
  t.match(await rawRequest(await listen(t, server), tagged('gray')), 'lane=none')
})

t.test('req.lane is the lane, in laneHandler and in laneServer', async t => {
  const wrapped = http.createServer(
    laneHandler((request, response: ServerResponse) => response.end(`${request.lane?.header}`)),
  )
  t.match(await rawRequest(await listen(t, wrapped), tagged('gray-2,gray')), 'gray-2,gray')
  const whole = laneServer(http.createServer())
  whole.on('request', (request, response) => response.end(`${(request as { lane?: { header: string } }).lane?.header}`))
  t.match(await rawRequest(await listen(t, whole), tagged('gray-2,gray')), 'gray-2,gray')
})

t.test('a plain GET with "Upgrade: h2c", as java.net.http sends it, is answered in its lane', async t => {
  const port = await listen(t, laneServer(http.createServer(answer)))
  const upgrade = 'Upgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\nContent-Length: 0\r\n'
  const text = `GET / HTTP/1.1\r\nHost: a\r\nx-mse-tag: gray\r\n${upgrade}Connection: Upgrade, HTTP2-Settings\r\n\r\n`
  const socket = connect(port, '127.0.0.1', () => socket.write(text))
  const [chunk] = await once(socket, 'data')
  socket.destroy()
  t.match(String(chunk), /^HTTP\/1.1 200 [\s\S]*lane=gray/)
})

t.test('checkContinue, checkExpectation and connect listeners run in the lane', async t => {
  const server = laneServer(http.createServer(answer))
  server.on('checkContinue', (request, response) => {
    const lane = current()
    response.writeContinue()
    request.on('end', () => response.end(`continue ${lane} ${current()}`)).resume()
  })
  server.on('checkExpectation', (_request, response) => response.end(`expectation ${current()}`))
  server.on('connect', (_request, socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n\r\nconnect ${current()}\r\n`)
    socket.on('data', () => socket.end(`data ${current()}`))
  })
  const port = await listen(t, server)
  const expecting = 'Expect: 100-continue\r\nContent-Length: 0\r\n'
  t.match(await rawRequest(port, tagged('gray', expecting)), /100 Continue[\s\S]*continue gray gray/)
  t.match(await rawRequest(port, tagged('gray', 'Expect: tea\r\n')), 'expectation gray')
  const socket = connect(port, '127.0.0.1')
  socket.write('CONNECT b:80 HTTP/1.1\r\nHost: b\r\nx-mse-tag: gray\r\n\r\n')
  await once(socket, 'data')
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.write('bytes in the tunnel')
  await once(socket, 'close')
  t.match(text, 'data gray')
})

t.test('without a checkContinue listener Node goes on by itself, in the lane', async t => {
  const port = await listen(t, laneServer(http.createServer(answer)))
  const text = tagged('gray', 'Expect: 100-continue\r\nContent-Length: 0\r\n')
  t.match(await rawRequest(port, text), /100 Continue[\s\S]*lane=gray/)
})

for (const deflate of [false, true]) {
  t.test(
    `WebSocket messages run in the lane of their upgrade request${deflate ? ', compressed ones after bindEmitter' : ''}`,
    async t => {
      const server = laneServer(http.createServer(answer))
      const sockets = new WebSocketServer({
        server,
        perMessageDeflate: deflate ? { threshold: 0, concurrencyLimit: 1 } : false,
      })
      sockets.on('connection', socket => {
        const connection = current()
        // ws queues its zlib jobs over all connections, so each runs in the context of the one that ended before it.
        if (deflate) bindEmitter(socket)
        socket.on('message', data => socket.send(`${connection} ${current()} ${String(data).length}`))
        socket.on('ping', data => socket.send(`${connection} ${current()} ${String(data)}`))
      })
      const port = await listen(t, server)
      t.teardown(() => sockets.close())
      const tags = ['gray', undefined, 'blue', 'gray-2,gray', undefined, 'blue']
      const clients = await Promise.all(
        tags.map(async tag => {
          const client = new WebSocket(`ws://127.0.0.1:${port}`, {
            headers: tag === undefined ? {} : { 'x-mse-tag': tag },
          })
          t.teardown(() => client.terminate())
          await once(client, 'open')
          return client
        }),
      )
      const answers = clients.map((client, index) =>
        collect(client, 21, () => {
          for (let round = 0; round < 20; round++) client.send('m'.repeat(20_000 + index))
          client.ping('ping')
        }),
      )
      for (const [index, texts] of (await Promise.all(answers)).entries()) {
        const lane = tags[index] ?? 'none'
        const expected = Array.from({ length: 20 }, () => `${lane} ${lane} ${20_000 + index}`)
        t.strictSame(texts.sort(), [...expected, `${lane} ${lane} ping`].sort(), `client ${index} in ${lane}`)
      }
    },
  )
}

t.test('an untagged request behind a tagged one has no lane, whoever adds its listeners', async t => {
  const seen: string[] = []
  const server = http.createServer(
    laneHandler((request, response: ServerResponse) => {
      runInLane('blue', () => request.on('end', () => seen.push(current())))
      request.resume().on('close', () => response.end('x'))
    }),
  )
  const socket = connect(await listen(t, server), '127.0.0.1')
  for (const tag of ['gray', undefined]) {
    socket.write(tagged(tag).replace('Connection: close\r\n', ''))
    await once(socket, 'data')
  }
  socket.destroy()
  t.strictSame(seen, ['gray', 'none'])
})

t.test('https: a request runs in its lane', async t => {
  const server = laneServer(https.createServer({ key, cert }, answer))
  const port = await listen(t, server)
  const text = await new Promise<string>((resolve, reject) => {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false, headers: { 'x-mse-tag': 'gray' } }
    https.get({ ...options, agent: false }, response => resolve(body(response))).on('error', reject)
  })
  t.equal(text, 'lane=gray')
})

for (const secure of [true, false]) {
  t.test(
    `http2 ${secure ? 'secure' : 'clear text'}: streams of one connection keep their lanes, finish and close included`,
    async t => {
      const places: string[] = []
      const handler = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => {
        const expected = String(request.headers['x-expect'])
        const look = (place: string) => {
          if (current() !== expected) places.push(`${place}: ${current()} instead of ${expected}`)
        }
        request.on('data', () => look('data'))
        request.on('close', () => look('req close'))
        response.on('finish', () => look('finish'))
        response.on('close', () => look('res close'))
        request.on('end', () => {
          look('end')
          setImmediate(() => response.end(`lane=${current()}`))
        })
      }
      const server = secure ? http2.createSecureServer({ key, cert, allowHTTP1: true }) : http2.createServer()
      laneServer(server as http2.Http2Server).on('request', handler)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const session = http2.connect(`${secure ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      t.teardown(() => {
        session.destroy()
        server.close()
      })
      const tags = Array.from({ length: 60 }, (_, index) => ['gray', undefined, 'blue'][index % 3])
      const texts = await Promise.all(
        tags.map(async tag => {
          const headers: Record<string, string> = { ':method': 'POST', 'x-expect': tag ?? 'none' }
          if (tag !== undefined) headers['x-mse-tag'] = tag
          const stream = session.request(headers)
          stream.write('x'.repeat(1000))
          stream.end('y')
          return body(stream)
        }),
      )
      t.strictSame(
        texts,
        tags.map(tag => `lane=${tag ?? 'none'}`),
      )
      await new Promise<void>(resolve => session.close(resolve))
      t.strictSame(places, [])
    },
  )
}

t.test('a wrong option is refused when the server is wrapped', async t => {
  const refused = (wrap: () => unknown, code: string) =>
    t.throws(wrap, { code, name: new LanewayError('LANEWAY_INVALID_OPTION', '').name })
  // @ts-expect-error: no such option
  refused(() => laneServer(http.createServer(), { trsut: 'edge' }), 'LANEWAY_INVALID_OPTION')
  // @ts-expect-error: no such mode
  refused(() => laneHandler(() => {}, { trust: 'all' }), 'LANEWAY_INVALID_OPTION')
  refused(() => laneHandler(() => {}, { tag: 'not a tag' }), 'LANEWAY_INVALID_TAG')
})

async function body(stream: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

function collect(client: WebSocket, count: number, start: () => void): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const texts: string[] = []
    client.on('message', data => {
      texts.push(String(data))
      if (texts.length === count) resolve(texts)
    })
    client.on('error', reject)
    start()
  })
}
