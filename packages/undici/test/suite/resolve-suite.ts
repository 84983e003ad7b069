import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { LanewayError, runInLane } from '@laneway/core'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

export function resolveSuite(t: Test, copy: Copy): void {
  const { undici } = copy

  t.test('an IPv6 endpoint', async t => {
    const server = createHttpServer((request, response) => response.end(request.headers.host))
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '::1', resolve))
    } catch {
      return t.pass('this machine has no IPv6 loopback', { skip: true })
    }
    t.teardown(() => server.close())
    const { port } = server.address() as { port: number }
    const dispatcher = composeLane(new undici.Agent(), { resolver: fakeResolver({ 'sc-b': [endpoint('::1', port)] }) })
    t.teardown(() => dispatcher.close())
    t.equal(await (await undici.request('http://sc-b/', { dispatcher })).body.text(), 'sc-b')
    t.equal(await (await undici.fetch('http://sc-b/', { dispatcher })).text(), 'sc-b')
  })

  t.test('https: the server name stays logical', async t => {
    const names: unknown[] = []
    const server = createTlsServer({ key, cert }, (request, response) => {
      names.push((request.socket as TLSSocket & { servername?: string }).servername, request.headers.host)
      response.end()
    })
    const port = await listen(t, server)
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', port)] })
    // The certificate is for sc-b: a handshake with the address as name would fail.
    const dispatcher = composeLane(new undici.Agent({ connect: { ca: cert } }), { resolver })
    t.teardown(() => dispatcher.close())
    await (await undici.request('https://sc-b/', { dispatcher })).body.dump()
    await (await undici.fetch('https://sc-b/', { dispatcher })).text()
    t.same(names, ['sc-b', 'sc-b', 'sc-b', 'sc-b'])
  })

  t.test('requests over a unix socket are neither resolved nor tagged', async t => {
    const seen: unknown[] = []
    // Not t.testdir(): the path of a socket has at most 107 bytes.
    const folder = mkdtempSync(join(tmpdir(), 'laneway-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 's')
    const server = createHttpServer((request, response) => {
      seen.push([request.headers.host, request.headers['x-mse-tag']])
      response.end()
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    t.teardown(() => server.close())
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', 1)] })
    const dispatcher = composeLane(new undici.Agent({ connect: { socketPath: path } as never }), { resolver })
    t.teardown(() => dispatcher.close())
    await runInLane('gray', async () => (await undici.request('http://sc-b/', { dispatcher })).body.dump())
    t.same(seen, [['sc-b', undefined]])
  })

  for (const [chain, interceptors] of [
    ['alone', () => []],
    ['below retry()', () => [undici.interceptors.retry({ maxRetries: 1, minTimeout: 1 })]],
  ] as const) {
    t.test(`no endpoint is an error with a code, in the way of the client (${chain})`, async t => {
      const gray = endpoint('127.0.0.1', 9, 'gray')
      const resolver = fakeResolver({ only: [gray], 'sc-b': [endpoint('127.0.0.1', 9)], late: undefined })
      resolver.whenLaneMissing = 'fail'
      resolver.onLookup = async () => {
        throw new LanewayError('LANEWAY_NOT_READY', 'too late')
      }
      const dispatcher = composeLane(new undici.Agent(), { resolver }, ...interceptors())
      t.teardown(() => dispatcher.close())
      for (const [url, lane, code] of [
        ['http://only/', undefined, 'LANEWAY_NO_BASE'],
        ['http://sc-b/', 'gray', 'LANEWAY_LANE_REQUIRED'],
        ['http://late/', 'gray', 'LANEWAY_NOT_READY'],
      ] as const) {
        await runInLane(lane, async () => {
          await t.rejects(undici.request(url, { dispatcher }), { code }, `request ${code}`)
          await t.rejects(undici.request(url, { dispatcher, method: 'POST', body: 'x' }), { code }, `POST ${code}`)
          await t.rejects(undici.fetch(url, { dispatcher }), { cause: { code } }, `fetch ${code}`)
          await t.rejects(
            undici.stream(url, { dispatcher, method: 'GET' }, () => t.fail('no answer') as never),
            { code },
          )
          const pipeline = undici.pipeline(url, { dispatcher, method: 'GET' }, () => t.fail('no answer') as never)
          await t.rejects(pipeline.end().toArray(), { code }, `pipeline ${code}`)
        })
      }
      t.equal(resolver.inFlight, 0)
    })
  }

  t.test('a call that waits for a service can be aborted', async t => {
    const resolver = fakeResolver({ late: undefined })
    const dispatcher = composeLane(new undici.Agent(), { resolver })
    t.teardown(() => dispatcher.close())
    for (const call of [
      (signal: AbortSignal) => undici.request('http://late/', { dispatcher, signal }),
      (signal: AbortSignal) => undici.fetch('http://late/', { dispatcher, signal }),
      (signal: AbortSignal) =>
        undici.stream('http://late/', { dispatcher, signal, method: 'GET' }, () => t.fail('no answer') as never),
    ]) {
      let waits = () => {}
      const waiting = new Promise<void>(resolve => (waits = resolve))
      resolver.onLookup = () => {
        waits()
        return new Promise(() => {})
      }
      const controller = new AbortController()
      const answer = call(controller.signal)
      await waiting
      controller.abort()
      await t.rejects(answer as Promise<unknown>, { name: 'AbortError' })
    }
    await t.rejects(undici.request('http://late/', { dispatcher, signal: AbortSignal.abort() }), { name: 'AbortError' })
    t.equal(resolver.inFlight, 0)
  })

  t.test('upgrade, CONNECT and a WebSocket reach the lane', async t => {
    const upgrades: unknown[] = []
    const server = createHttpServer()
    server.on('upgrade', (request, socket) => {
      upgrades.push([request.headers.host, request.headers['x-mse-tag'], request.headers.upgrade])
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: lane\r\n\r\nhello')
    })
    server.on('connect', (request, socket) => {
      upgrades.push([request.url, request.headers['x-mse-tag']])
      socket.end('HTTP/1.1 200 OK\r\n\r\nhello')
    })
    const port = await listen(t, server)
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', 9), endpoint('127.0.0.1', port, 'gray')] })
    const dispatcher = composeLane(new undici.Agent(), { resolver, warn: () => {} })
    t.teardown(() => dispatcher.destroy())
    await runInLane('gray', async () => {
      const { socket } = await undici.upgrade('http://sc-b/up', { dispatcher, protocol: 'lane' } as never)
      t.equal((await socket.toArray()).join(''), 'hello')
      for (const path of ['orders:80', 'third.example:443']) {
        const tunnel = await dispatcher.connect({ origin: `http://127.0.0.1:${port}`, path })
        t.equal((await tunnel.socket.toArray()).join(''), 'hello')
      }
    })
    t.same(upgrades, [
      ['sc-b', 'gray', 'lane'],
      ['orders:80', 'gray'],
      ['third.example:443', undefined],
    ])
    t.equal(resolver.inFlight, 0)
    t.same(resolver.ends, [{ address: `127.0.0.1:${port}`, end: 'ok' }])
  })

  t.test('stream, pipeline, POST bodies and pipelining reach the lane', async t => {
    const base = await seenServer(t, 'base')
    const gray = await seenServer(t, 'gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const dispatcher = composeLane(new undici.Agent({ connections: 1, pipelining: 8 }), { resolver })
    t.teardown(() => dispatcher.close())
    const { PassThrough } = await import('node:stream')
    for (const lane of ['gray', undefined]) {
      await runInLane(lane, async () => {
        const sink = new PassThrough()
        await undici.stream('http://sc-b/', { dispatcher, method: 'GET', opaque: sink }, () => sink)
        const parsed = JSON.parse((await sink.toArray()).join(''))
        t.match(parsed, { instance: lane ?? 'base' })
        const duplex = undici.pipeline('http://sc-b/', { dispatcher, method: 'POST' }, ({ body }) => body)
        duplex.end('piped')
        t.match(JSON.parse((await duplex.toArray()).join('')), { instance: lane ?? 'base', body: 'piped' })
        const { body } = await undici.request('http://sc-b/', { dispatcher, method: 'POST', body: ['a', 'b'] as never })
        t.match(await body.json(), { instance: lane ?? 'base', body: 'ab' })
      })
    }
    const mixed = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const lane = index % 2 === 0 ? 'gray' : undefined
        return runInLane(lane, async () => {
          const { body } = await undici.request('http://sc-b/', { dispatcher })
          return ((await body.json()) as { instance: string }).instance === (lane ?? 'base')
        })
      }),
    )
    t.ok(mixed.every(right => right))
    t.equal(resolver.inFlight, 0)
  })

  t.test('how the use of an endpoint ended is reported once', async t => {
    const answers: Record<string, (socket: import('node:net').Socket) => void> = {
      '/ok': socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi'),
      '/error': socket => socket.end('HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      '/reset': socket => socket.destroy(),
      '/cut': socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi'),
      '/never': () => {},
    }
    let asked: () => void = () => {}
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', data => {
        answers[data.toString().split(' ')[1]!]?.(socket)
        asked()
      })
    })
    const port = await listen(t, server)
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', port)],
      dead: [endpoint('127.0.0.1', 9)],
    })
    const dispatcher = composeLane(new undici.Agent(), { resolver })
    t.teardown(() => dispatcher.destroy())
    const outcome = async (url: string, signal?: AbortSignal) => {
      resolver.ends.length = 0
      try {
        await (await undici.request(url, { dispatcher, ...(signal && { signal }) })).body.text()
      } catch {
        // what the caller sees is undici's own; here the report counts
      }
      return resolver.ends.map(one => one.end)
    }
    t.same(await outcome('http://sc-b/ok'), ['ok'])
    t.same(await outcome('http://sc-b/error'), ['ok'], 'a status is an answer')
    t.same(await outcome('http://sc-b/reset'), ['reset'])
    t.same(await outcome('http://sc-b/cut'), ['ok'], 'the response had begun')
    t.same(await outcome('http://dead/'), ['connect-error'])
    const controller = new AbortController()
    asked = () => controller.abort()
    t.same(await outcome('http://sc-b/never', controller.signal), ['aborted'])
    asked = () => {}
    t.same(await outcome('http://sc-b/never', AbortSignal.timeout(50)), ['timeout'], 'its time was over')
    t.equal(resolver.inFlight, 0)
    resolver.ends.length = 0
    await t.rejects(undici.request('http://sc-b/', { dispatcher, headers: { 'bad name': '1' } }))
    t.same(
      resolver.ends.map(one => one.end),
      ['aborted'],
      'a request that undici refuses says nothing about the endpoint',
    )
  })
}
