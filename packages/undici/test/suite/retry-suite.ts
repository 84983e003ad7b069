import { createServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { runInLane } from '@laneway/core'
import { listen } from '@laneway/testkit'
import { closedPort, endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

/** A server that speaks bytes; `answer` gets the request's text and how many came before. */
async function rawServer(t: Test, answer: (socket: Socket, request: string, count: number) => void) {
  const requests: string[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', data => {
      requests.push(data.toString())
      answer(socket, data.toString(), requests.length)
    })
  })
  return { port: await listen(t, server), requests }
}

export function retrySuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const retry = () =>
    undici.interceptors.retry({ maxRetries: 3, minTimeout: 1, maxTimeout: 2, methods: ['GET', 'POST'] })

  t.test('a connect error before any byte was sent is retried by Laneway, any method, body intact', async t => {
    const gray = await seenServer(t, 'gray')
    const dead = [await closedPort(), await closedPort()]
    const resolver = fakeResolver({
      'sc-b': [...dead.map(port => endpoint('127.0.0.1', port, 'gray')), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const dispatcher = composeLane(new undici.Agent(), { resolver })
    t.teardown(() => dispatcher.close())
    const bodies: Record<string, () => unknown> = {
      none: () => null,
      string: () => 'body',
      buffer: () => Buffer.from('body'),
      stream: () => Readable.from([Buffer.from('bo'), Buffer.from('dy')]),
      generator: async function* () {
        yield Buffer.from('body')
      },
    }
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE'] as const) {
      for (const [title, body] of Object.entries(bodies)) {
        if (method === 'GET' && title !== 'none') continue
        for (let turn = 0; turn < 3; turn++) {
          const answer = await runInLane('gray', () =>
            undici.request('http://sc-b/', { dispatcher, method, body: body() as never }),
          )
          t.match(
            await answer.body.json(),
            { instance: 'gray', method, body: title === 'none' ? '' : 'body' },
            `${method} ${title}`,
          )
        }
      }
    }
    await runInLane('gray', async () => {
      const answer = await undici.fetch('http://sc-b/', { dispatcher, method: 'POST', body: 'body' })
      t.match(await answer.json(), { instance: 'gray', body: 'body' })
    })
    t.equal(resolver.inFlight, 0)
    t.ok(resolver.ends.some(({ end }) => end === 'connect-error'))
  })

  t.test('exactly one gray endpoint that answers 503: the retry stays in the lane and uses it again', async t => {
    const base = await seenServer(t, 'base')
    let count = 0
    const gray = await seenServer(t, 'gray', (_seen, response) => {
      response.writeHead(++count < 3 ? 503 : 200).end('gray')
    })
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const dispatcher = composeLane(new undici.Agent(), { resolver }, retry())
    t.teardown(() => dispatcher.close())
    const answer = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
    t.equal(await answer.body.text(), 'gray')
    t.same([gray.seen.length, base.seen.length], [3, 0])
    t.ok(resolver.ends.every(({ end }) => end === 'ok'))
  })

  t.test('exactly one gray endpoint that resets before headers: the retry leaves the lane, by policy', async t => {
    const base = await seenServer(t, 'base')
    const gray = await rawServer(t, socket => socket.destroy())
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    for (const outside of [false, true]) {
      gray.requests.length = 0
      base.seen.length = 0
      const inside = outside ? [] : [retry()]
      const lane = composeLane(new undici.Agent(), { resolver }, ...inside)
      const dispatcher = outside ? new undici.RetryAgent(lane, { maxRetries: 3, minTimeout: 1, maxTimeout: 2 }) : lane
      const answer = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
      t.match(await answer.body.json(), { instance: 'base', tags: ['gray'] })
      t.equal(gray.requests.length, 1, 'an endpoint that failed is not tried again')
      await lane.close()
    }
    const plain = composeLane(new undici.Agent(), { resolver })
    t.teardown(() => plain.close())
    await t.rejects(
      runInLane('gray', () => undici.request('http://sc-b/', { dispatcher: plain })),
      'without retry() a request that was sent is not sent again',
    )
    t.equal(gray.requests.length, 2)
  })

  t.test('tried holds failures of one hop: a redirect starts afresh', async t => {
    const target = await seenServer(t, 'gray')
    const flaky = await rawServer(t, (socket, request, count) => {
      if (count === 1) socket.destroy()
      else if (request.startsWith('GET /first')) {
        socket.end('HTTP/1.1 302 Found\r\nlocation: /second\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
      } else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nflaky')
    })
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', flaky.port, 'gray'), endpoint('127.0.0.1', target.port)],
    })
    const redirecting = await seenServer(t, 'base', (_seen, response) => {
      response.writeHead(302, { location: 'http://sc-b/second' }).end()
    })
    resolver.set('sc-a', [endpoint('127.0.0.1', redirecting.port)])
    resolver.set('sc-b', [endpoint('127.0.0.1', flaky.port, 'gray'), endpoint('127.0.0.1', redirecting.port)])
    const dispatcher = composeLane(
      new undici.Agent(),
      { resolver },
      retry(),
      undici.interceptors.redirect({ maxRedirections: 2 }),
    )
    t.teardown(() => dispatcher.close())
    // gray resets once, so base serves the first hop; it redirects, and the second hop tries gray again.
    const answer = await runInLane('gray', () => undici.request('http://sc-b/first', { dispatcher }))
    t.equal(await answer.body.text(), 'flaky')
  })

  /** Sends half a body and cuts; a request with a range gets the rest. */
  const halves = (first: string, rest: string, etag: string) => (socket: Socket, request: string) => {
    const range = /range: bytes=(\d+)-/i.exec(request)
    if (range === null) {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: "${etag}"\r\naccept-ranges: bytes\r\n\r\n${first}`)
      setImmediate(() => socket.destroy())
    } else {
      socket.end(
        `HTTP/1.1 206 Partial Content\r\ncontent-range: bytes ${range[1]}-9/10\r\ncontent-length: ${rest.length}\r\n` +
          `etag: "${etag}"\r\nconnection: close\r\n\r\n${rest}`,
      )
    }
  }

  t.test('a retry that resumes a body goes to the endpoint that sent the first part', async t => {
    const one = await rawServer(t, halves('ONE--', '--ONE', 'same'))
    const two = await rawServer(t, halves('TWO--', '--TWO', 'same'))
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', one.port, 'gray'), endpoint('127.0.0.1', two.port, 'gray')],
    })
    for (const place of ['inside', 'outside', 'outside, with a redirect between'] as const) {
      const inside = place === 'inside' ? [retry()] : []
      const agent = new undici.Agent()
      const lane = composeLane(agent, { resolver }, ...inside)
      const between = undici.interceptors.redirect({ maxRedirections: 3 })
      const below =
        place === 'outside, with a redirect between' ? Object.getPrototypeOf(agent).compose.call(lane, between) : lane
      const dispatcher =
        place === 'inside' ? lane : new undici.RetryAgent(below, { maxRetries: 3, minTimeout: 1, maxTimeout: 2 })
      for (let turn = 0; turn < 4; turn++) {
        const answer = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
        t.match(await answer.body.text(), /^(ONE----ONE|TWO----TWO)$/)
      }
      await lane.destroy()
    }
    t.equal(resolver.inFlight, 0)
  })

  t.test('a body is not resumed when the endpoint that sent the first part has gone or refuses', async t => {
    const two = await rawServer(t, halves('TWO--', '--TWO', 'same'))
    for (const how of ['gone', 'refusing'] as const) {
      const first = createServer(socket => {
        socket.on('error', () => {})
        socket.on('data', () => {
          if (how === 'gone') resolver.set('sc-b', [endpoint('127.0.0.1', two.port, 'gray')])
          else first.close()
          socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\netag: "same"\r\n\r\nONE--')
          setImmediate(() => socket.destroy())
        })
      })
      const port = await listen(t, first)
      const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', port, 'gray')] })
      const dispatcher = composeLane(new undici.Agent(), { resolver }, retry())
      const answer = await runInLane('gray', () => undici.request('http://sc-b/', { dispatcher }))
      await t.rejects(answer.body.text(), { code: 'LANEWAY_RESUME_MOVED' }, how)
      await dispatcher.destroy()
      t.equal(resolver.inFlight, 0)
    }
    t.equal(two.requests.length, 0)
  })

  t.test('a range that the caller asked for is not a resumed body', async t => {
    const servers = await Promise.all(['one', 'two'].map(name => seenServer(t, name)))
    const resolver = fakeResolver({ 'sc-b': servers.map(server => endpoint('127.0.0.1', server.port)) })
    const dispatcher = composeLane(new undici.Agent(), { resolver }, retry())
    t.teardown(() => dispatcher.close())
    for (let turn = 0; turn < 2; turn++) {
      await (await undici.request('http://sc-b/', { dispatcher, headers: { range: 'bytes=1-' } })).body.dump()
    }
    t.same(
      servers.map(server => server.seen.length),
      [1, 1],
    )
  })
}
