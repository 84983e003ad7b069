import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect, createServer as createHttp2Server } from 'node:http2'
import { currentLane, type IngressOptions, readPath, runInLane, summaryOfPath } from '@laneway/core'
import { LaneAgent, laneHandler } from '@laneway/http'
import { listen, rawRequest } from '@laneway/testkit'
import { fakeResolver } from '@laneway/testkit/egress'
import t from 'tap'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: string[]
  readonly text: string
}

const named = (name: string, options: IngressOptions = {}): IngressOptions => ({ ...options, trace: { name } })
const traced = { 'x-laneway-trace': '1', 'x-mse-tag': 'gray' }

async function serve(t: Test, handler: Handler, options = named('A')): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(laneHandler(handler, options)))}/`
}

type Test = Parameters<typeof listen>[0]

function get(url: string, headers: Record<string, string | string[]> = {}, options: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { headers, ...options }, response => {
      let text = ''
      response.on('data', chunk => (text += chunk))
      response.on('end', () => {
        const { statusCode: status, headers, rawHeaders } = response
        resolve({ status, headers, rawHeaders, text })
      })
    })
      .on('error', reject)
      .end()
  })
}

t.test('a trusted caller gets the path, whatever way the handler writes its head', async t => {
  const ways: Record<string, Handler> = {
    end: (_, response) => response.end('x'),
    write: (_, response) => response.write('x') && response.end(),
    'setHeader and writeHead': (_, response) => {
      response.setHeader('x-own', '1')
      response.writeHead(201, { 'x-more': '2' }).end()
    },
    'a flat list': (_, response) => response.writeHead(200, 'Fine', ['x-own', '1', 'x-more', '2']).end(),
    'a list of pairs': (_, response) => response.writeHead(200, [['x-own', '1']] as never).end(),
    flushHeaders: (_, response) => {
      response.flushHeaders()
      response.end()
    },
    'a path of somebody else': (_, response) =>
      response.writeHead(200, { 'X-Laneway-Path': '1["evil","","","",[]]' }).end(),
    'a path of somebody else in a list': (_, response) => response.writeHead(200, ['X-Laneway-Path', 'evil']).end(),
    'a path of somebody else by setHeader': (_, response) => response.setHeader('X-Laneway-Path', 'evil').end(),
  }
  for (const [way, handler] of Object.entries(ways)) {
    const url = await serve(t, handler)
    const answer = await get(url, traced)
    const path = readPath(answer)
    t.match(path, { service: 'A', lane: 'gray', by: 'header', calls: [] }, way)
    t.equal(answer.rawHeaders.filter(name => /^x-laneway-path$/i.test(name)).length, 1, `${way}: one line`)
    if (way.includes('somebody')) continue
    const untraced = await get(url, { 'x-mse-tag': 'gray' })
    t.equal(untraced.headers['x-laneway-path'], undefined, `${way}: nothing without the question`)
    t.strictSame(
      { ...answer.headers, date: '', 'x-laneway-path': '' },
      { ...untraced.headers, date: '', 'x-laneway-path': '' },
      way,
    )
  }
})

t.test('the handler does not see the question, in any view', async t => {
  const url = await serve(t, (incoming, response) => {
    response.end(JSON.stringify([incoming.headers, incoming.headersDistinct, incoming.rawHeaders, currentLane()]))
  })
  const { text } = await get(url, { ...traced, 'x-own': 'kept' })
  t.notMatch(text, /laneway-trace/)
  t.match(JSON.parse(text), [{ 'x-own': 'kept' }, { 'x-own': ['kept'] }, /x-own/, { header: 'gray' }])
  const plain = JSON.parse((await get(url, { 'x-laneway-trace': '1' })).text)
  t.equal(plain[3], null, 'a trace gives no lane')
})

t.test('who may ask', async t => {
  const rules = Object.assign(() => undefined, {
    tracesOf: ({ headers }: { headers: object }) => 'x-tester' in headers,
  })
  const cases: [string, IngressOptions, Record<string, string | string[]>, boolean][] = [
    ['an edge answers nobody', { trust: 'edge' }, traced, false],
    ['an edge does not take a token that it does not have', { trust: 'edge' }, { 'x-laneway-trace': 'secret' }, false],
    ['a token', { trust: 'edge', trace: { token: 'secret' } }, { 'x-laneway-trace': 'secret' }, true],
    ['1 is no token', { trust: 'edge', trace: { token: 'secret' } }, traced, false],
    ['a token with more', { trust: 'edge', trace: { token: 'secret' } }, { 'x-laneway-trace': 'secret2' }, false],
    ['a rule', { trust: 'edge', rules }, { ...traced, 'x-tester': '1' }, true],
    ['no rule', { trust: 'edge', rules }, traced, false],
    [
      'a rule that throws',
      {
        trust: 'edge',
        rules: Object.assign(() => undefined, {
          tracesOf() {
            throw new Error('x')
          },
        }),
      },
      traced,
      false,
    ],
    ['switched off', { trace: false }, traced, false],
    ['another value', {}, { 'x-laneway-trace': '2' }, false],
    ['two lines', {}, { 'x-laneway-trace': ['1', '1'] }, false],
    ['a trusted peer', { trust: 'internal' }, traced, true],
  ]
  for (const [what, options, headers, answered] of cases) {
    const url = await serve(t, (incoming, response) => response.end(JSON.stringify(incoming.rawHeaders)), options)
    const answer = await get(url, headers)
    t.equal(answer.headers['x-laneway-path'] !== undefined, answered, what)
    t.notMatch(answer.text, /laneway-trace/i, `${what}: the header is gone`)
  }
})

t.test('an edge removes the question from lines that headers does not show', async t => {
  const server = createServer(
    laneHandler((incoming, response) => response.end(JSON.stringify(incoming.rawHeaders)), { trust: 'edge' }),
  )
  server.maxHeadersCount = 50
  const port = await listen(t, server)
  const many = Array.from({ length: 60 }, (_, index) => `x-${index}: 1\r\n`).join('')
  const answer = await rawRequest(
    port,
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${many}X-Laneway-Trace: 1\r\n\r\n`,
  )
  t.match(answer, /x-48/)
  t.notMatch(answer, /laneway/i)
})

t.test('calls are noted with what came of them, and answers are as without a trace', async t => {
  const c = await serve(t, (_, response) => response.setHeader('x-c', '1').end('C'), named('C'))
  const slow = await serve(t, () => {}, named('slow'))
  const agent = new LaneAgent({}, {
    lookup: (_host: string, _options: object, done: (...found: unknown[]) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }]),
  } as object)
  t.teardown(() => agent.destroy())
  let seen: Answer | undefined
  const outside: unknown[] = []
  const third = await listen(
    t,
    createServer((incoming, response) => {
      outside.push(incoming.headers['x-laneway-trace'], incoming.headers['x-mse-tag'])
      response.setHeader('x-laneway-path', '1["evil","","","",[]]').end()
    }),
  )
  const b = await serve(
    t,
    async (incoming, response) => {
      seen = await get(c, {}, { agent })
      const evil = await get(`http://api.example.com:${third}/`, { 'x-laneway-trace': '1' }, { agent })
      const lie = evil.headers['x-laneway-path']
      if (incoming.url === '/copies') response.setHeader('x-laneway-path', lie!)
      await get('http://127.0.0.1:1/', {}, { agent }).catch(() => {})
      const aborted = new AbortController()
      const gone = get(slow, {}, { agent, signal: aborted.signal }).catch(() => {})
      setTimeout(() => aborted.abort(), 20)
      await gone
      get(slow, {}, { agent }).catch(() => {})
      await runInLane('blue', () => get(c, {}, { agent }))
      response.end('B')
    },
    named('B'),
  )
  for (const url of [b, `${b}copies`]) {
    const answer = await get(url, traced)
    const path = readPath(answer)!
    t.match(path, {
      service: 'B',
      calls: [
        {
          outcome: 'forwarded',
          lane: 'gray',
          status: 200,
          attempt: 1,
          path: { service: 'C', lane: 'gray', calls: [] },
        },
        { target: 'api.example.com', outcome: 'out-of-scope', status: 200, path: undefined },
        { status: 'connect-error' },
        { status: 'aborted' },
        { status: 'open', ms: undefined },
        { lane: 'blue', path: { service: 'C', lane: 'blue' } },
      ],
    })
    t.equal(answer.headers['x-c'], undefined)
  }
  t.equal(seen?.headers['x-c'], '1')
  t.notMatch(JSON.stringify(seen), /laneway-path/, 'the application sees the answer as it was')
  t.strictSame(new Set(outside), new Set([undefined]), 'a third party gets neither tag nor question')
})

t.test('a call that its caller has left is not open when the answer follows at once', async t => {
  let arrive = () => {}
  const port = await listen(
    t,
    createServer(() => arrive()),
  )
  const agent = new LaneAgent({ resolver: fakeResolver({ 'sc-c': [{ port }] }) })
  t.teardown(() => agent.destroy())
  const timeout = Object.assign(new Error('timeout of 1000ms exceeded'), { code: 'ECONNABORTED' })
  for (const [target, error, status] of [
    ['sc-c', undefined, 'aborted'],
    ['sc-c', timeout, 'timeout'],
    [`127.0.0.1:${port}`, undefined, 'aborted'],
    [`127.0.0.1:${port}`, new Error('of the caller'), 'error'],
  ] as const) {
    const url = await serve(t, (_incoming, response) => {
      const call = request(`http://${target}/`, { agent }).on('error', () => {})
      arrive = () => {
        call.destroy(error)
        response.end()
      }
      call.end()
    })
    const calls = readPath(await get(url, traced))?.calls
    t.match(calls, [{ status, ms: Number }], `${target} ${error}`)
    t.equal(calls?.length, 1)
  }
})

t.test('requests of one connection do not see the trace of another', async t => {
  const c = await serve(t, (incoming, response) => response.end(String(incoming.headers['x-laneway-trace'])), {
    trace: false,
  })
  const far = await listen(
    t,
    createServer((incoming, response) => response.end(String(incoming.headers['x-laneway-trace']))),
  )
  const agent = new LaneAgent({}, { keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const b = await serve(t, (_incoming, response) => {
    // Listeners only: no promise keeps the context.
    request(`http://127.0.0.1:${far}/`, { agent }, first => {
      first.on('data', one => {
        first.on('end', () =>
          request(c, { agent }, second => second.resume().on('end', () => response.end(String(one)))).end(),
        )
      })
    }).end()
  })
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => {
      const headers = [traced, { 'x-mse-tag': 'gray' }, { 'x-laneway-trace': '1' }, {}][index % 4]!
      return get(b, headers as Record<string, string>).then(answer => ({ answer, index }))
    }),
  )
  for (const { answer, index } of answers) {
    const path = readPath(answer)
    t.equal(path?.calls.length, index % 2 === 1 ? undefined : 2)
    t.equal(answer.text, index % 2 === 1 ? 'undefined' : '1')
  }
})

t.test(
  'listeners of a call run in the trace of its own request, also when another one of that lane causes the event',
  async t => {
    const far = await listen(
      t,
      createServer(() => {}),
    )
    const c = await serve(t, (_, response) => response.end('C'), named('C'))
    const agent = new LaneAgent({})
    t.teardown(() => agent.destroy())
    let held: ReturnType<typeof request> | undefined
    const b = await serve(t, (incoming, response) => {
      if (incoming.url === '/second') {
        // As a timer that calls share would do.
        held!.emit('timeout')
        response.end('second')
        return
      }
      held = request(`http://127.0.0.1:${far}/`, { agent })
      held.on('error', () => {})
      held.on('timeout', () => get(c, {}, { agent }).then(() => response.end('first')))
      held.end()
    })
    const first = get(b, traced)
    while (held === undefined) await new Promise(resolve => setTimeout(resolve, 5))
    const second = await get(`${b}second`, traced)
    t.strictSame(readPath(second)?.calls, [], 'the second request has called nothing')
    t.match(readPath(await first)?.calls, [{ status: 'open' }, { status: 200, path: { service: 'C' } }])
    held.destroy()
  },
)

t.test('HTTP/2 requests get their path', async t => {
  const server = createHttp2Server(laneHandler((_, response) => response.end('x'), named('h2')) as never)
  const port = await listen(t, server as never)
  const session = connect(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  const headers = await new Promise<object>(resolve =>
    session.request({ ':path': '/', ...traced }).on('response', resolve),
  )
  t.equal(summaryOfPath(readPath({ headers })!), 'h2[base]')
})

t.test('the answer of an attempt that a path has no room for is as without a trace', async t => {
  const c = createServer(laneHandler((_, response) => response.end(), named('C')))
  const port = await listen(t, c)
  const agent = new LaneAgent({ resolver: fakeResolver({ 'sc-c': [{ port }], 'sc-d': [{ port: 1 }, { port }] }) })
  t.teardown(() => agent.destroy())
  const seen = new Set<unknown>()
  const b = await serve(
    t,
    async (_, response) => {
      for (let call = 0; call < 255; call++) await get('http://sc-c/', {}, { agent })
      // The second attempt is the 257th that begins.
      for (const host of ['sc-d', 'sc-c'])
        seen.add((await get(`http://${host}/`, {}, { agent })).headers['x-laneway-path'])
      response.end()
    },
    named('B'),
  )
  t.match(readPath(await get(b, traced)), { service: 'B', lane: 'gray' })
  t.strictSame([...seen], [undefined])
})
