import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { listen } from '@laneway/testkit'
import t from 'tap'
import type { AccessLogEntry } from '../src/index.js'
import { send, start } from './world.js'

/** Numbers that look random and are the same in every run. */
function draws(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const REQUESTS = 400

t.test('clients and upstreams that leave at any moment leave nothing behind', async t => {
  const draw = draws(7)
  const sockets = new Set<Socket>()
  const upstream = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', data => {
      const text = data.toString('latin1')
      if (!text.includes('HTTP/1.1')) return
      switch (draw(7)) {
        case 0:
          return socket.destroy()
        case 1:
          return socket.resetAndDestroy()
        case 2:
          return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.destroy())
        case 3:
          return socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () => {
            socket.resetAndDestroy()
          })
        case 4:
          return socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        case 5:
          return socket.write('nonsense')
        default:
          return socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      }
    })
  })
  const closeAllConnections = () => {
    for (const socket of sockets) socket.destroy()
  }
  const upstreamPort = await listen(t, Object.assign(upstream, { closeAllConnections }))
  const services = {
    'sc-a': [
      { host: '127.0.0.1', port: upstreamPort },
      { host: 'localhost', port: upstreamPort, tags: ['gray'] },
    ],
  }
  const entries: AccessLogEntry[] = []
  const { gateway, port } = await start(
    t,
    services,
    {
      routes: [{ service: 'sc-a', timeoutMs: 500 }],
      rules: { version: 1, rules: [{ name: 'g', when: { path: { prefix: '/gray' } }, lane: 'gray' }] },
      accessLog: entry => entries.push(entry),
    },
    { outlier: false },
  )

  /** One client; resolves when its connection is closed. */
  function client(): Promise<void> {
    return new Promise(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      const path = draw(2) === 0 ? '/gray' : '/'
      const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 200000\r\n\r\n`
      const behaviour = draw(5)
      socket.on('connect', () => {
        if (behaviour === 0) socket.write(head.slice(0, 20), () => socket.destroy())
        else if (behaviour === 1) socket.write(head, () => socket.resetAndDestroy())
        else if (behaviour === 2) socket.write(`${head}${'x'.repeat(1000)}`, () => setImmediate(() => socket.destroy()))
        else if (behaviour === 3) socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
        else socket.write(`${head}${'x'.repeat(200_000)}`)
      })
      socket.on('data', () => {
        if (draw(3) === 0) socket.destroy()
      })
      socket.setTimeout(10_000, () => socket.destroy())
    })
  }
  for (let sent = 0; sent < REQUESTS; sent += 20) await Promise.all(Array.from({ length: 20 }, client))
  while (!/in_flight_requests 0\n/.test(gateway.metrics())) await new Promise(resolve => setImmediate(resolve))
  t.ok(entries.length > REQUESTS / 2, `${entries.length} requests were noted`)
  for (const { path, lane, served, endpoint } of entries) {
    // A log line tells of its own request, whatever ended beside it.
    if (endpoint === undefined) continue
    const gray = path === '/gray'
    if (gray !== (lane === 'gray') || gray !== (served === 'gray') || gray !== endpoint.startsWith('localhost')) {
      t.fail(`${path} in ${lane} served by ${served} at ${endpoint}`)
    }
  }
  t.ok(entries.some(({ error }) => error === 'client-gone'))
  t.ok(entries.some(({ error }) => error === 'upstream-reset'))
  t.ok(entries.some(({ error }) => error === 'upstream-reset-in-answer'))
  t.ok(entries.some(({ error, status }) => error === undefined && status === 200))
  t.match((await send(port, { path: '/', method: 'HEAD' })).status, Number)
})
