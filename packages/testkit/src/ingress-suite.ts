import { createServer, get } from 'node:http'
import { connect } from 'node:net'
import {
  channels,
  currentLane,
  type IngressEvent,
  type IngressOptions,
  parseLane,
  type RequestView,
} from '@laneway/core'
import fc from 'fast-check'
import type { Test } from 'tap'
import { headerCases } from './header-cases.js'
import { type IngressAdapter, requestBytes, type SuiteCall, type SuiteRequest } from './ingress-adapter.js'
import { listen } from './listen.js'

const MSE_GRAY = '__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D'

/** What every ingress adapter must do with a request, over real sockets unless the adapter has none. */
export async function ingressSuite(t: Test, adapter: IngressAdapter): Promise<void> {
  await t.test(`${adapter.name}: each header has one meaning, is served and counted once`, headerTable)
  await t.test(`${adapter.name}: whatever bytes a header has, the request is served`, arbitraryBytes)
  await t.test(`${adapter.name}: an edge removes what a client sent, before the handler runs`, removal)
  await t.test(`${adapter.name}: a value that is no lane is removed too`, removalOfNonsense)
  await t.test(`${adapter.name}: foreign baggage passes byte for byte`, foreignBaggage)
  await t.test(`${adapter.name}: the predicate decides who is believed, and one that throws believes nobody`, predicate)
  await t.test(`${adapter.name}: a rule colours what no believed sender coloured, and nothing else`, rules)
  await t.test(`${adapter.name}: predicate and rules see the same of a request as in any framework`, view)
  await t.test(`${adapter.name}: an untagged request at a lane instance is served and counted as an escape`, escapes)
  await t.test(`${adapter.name}: with ownLane "colour" an untagged request takes the instance's lane`, colour)
  await t.test(`${adapter.name}: the lane reaches the far server of a call, untagged calls carry none`, farServer)
  await t.test(`${adapter.name}: the body, timers and response listeners are in the lane`, listeners)
  await t.test(`${adapter.name}: a handler that fails is answered, and the next request is untouched`, failure)
  await t.test(`${adapter.name}: requests that wait for each other keep their own lanes`, interleaved)
  await t.test(`${adapter.name}: pipelined requests on one socket keep their own lanes`, pipelined)

  async function headerTable(t: Test) {
    const target = await adapter.serve(t, {}, async ({ lane }) => ({
      lane: headerOf(lane),
      current: headerOf(currentLane()),
    }))
    for (const row of headerCases) {
      const impossible = adapter.cannotSend?.(row.lines)
      if (impossible !== undefined) {
        t.comment(`${row.name}: ${impossible}`)
        continue
      }
      const headers = row.lines.map(line => ['x-mse-tag', line] as const)
      const baggage = row.baggage === undefined ? [] : [['baggage', row.baggage] as const]
      const { events, result } = await counted(() => target.send({ headers: [...headers, ...baggage] }))
      t.equal(result.status, 200, `${row.name}: served`)
      t.strictSame(JSON.parse(result.body), { lane: headerOf(row), current: headerOf(row) }, `${row.name}: lane`)
      const { contradicted = false } = row
      t.strictSame(
        events.map(one => ({ ...one, lane: one.lane?.header })),
        [{ lane: row.lane, source: row.source, problem: row.problem, stripped: false, escaped: false, contradicted }],
        `${row.name}: event`,
      )
      const value = row.lines[0]?.trim() ?? ''
      if (row.problem !== undefined && value.length > 1) t.notMatch(result.whole, value, `${row.name}: not echoed`)
    }
  }

  async function arbitraryBytes(t: Test) {
    const target = await adapter.serve(t, {}, async ({ lane }) => headerOf(lane))
    // A bare CR or LF ends the line for every parser.
    const byte = fc.integer({ min: 0, max: 255 }).filter(code => code !== 10 && code !== 13)
    const bytes = fc.array(byte, { maxLength: 80 }).map(codes => Buffer.from(codes).toString('latin1'))
    const near = fc.constantFrom('gray', ',', '%', '"', '__microservice_tag__=', 'x-mse-tag=', '[{"tag":"a"}]')
    const value = fc.array(fc.oneof(bytes, near), { maxLength: 3 }).map(parts => parts.join(''))
    const { events } = await counted(() =>
      fc.assert(
        fc.asyncProperty(value, value, async (tag, baggage) => {
          const headers = [
            ['x-mse-tag', tag],
            ['baggage', baggage],
          ] as const
          const { status, body } = await target.send({ headers })
          const lane = JSON.parse(body)
          return status === 200 && (lane === null || parseLane(lane)?.header === lane)
        }),
        { numRuns: 40 },
      ),
    )
    t.equal(events.length, 40)
  }

  async function removal(t: Test) {
    const target = await adapter.serve(t, { trust: 'edge' }, async call => carriers(call))
    const { events, result } = await counted(() =>
      target.send({
        headers: [
          ['X-Mse-Tag', 'gray'],
          ['baggage', `a=1 , x-mse-tag=gray;p=1,${MSE_GRAY},%78-mse-tag=gray,b=2`],
          ['x-other', 'kept'],
        ],
      }),
    )
    t.strictSame(JSON.parse(result.body), { lane: null, tag: [], baggage: ['a=1 ,b=2'], other: ['kept'] })
    t.match(events, [{ lane: undefined, stripped: true, problem: undefined }])
    t.equal(events.length, 1)
  }

  async function removalOfNonsense(t: Test) {
    const target = await adapter.serve(t, {}, async call => carriers(call))
    const headers = [
      ['x-mse-tag', 'not a tag'],
      ['baggage', `x-mse-tag=gray,a=1`],
      ['x-other', 'kept'],
    ] as const
    const { events, result } = await counted(() => target.send({ headers }))
    t.strictSame(JSON.parse(result.body), { lane: null, tag: [], baggage: ['a=1'], other: ['kept'] })
    t.match(events, [{ lane: undefined, stripped: false, problem: 'invalid' }])
  }

  async function foreignBaggage(t: Test) {
    const baggage = 'a=1;p = q , ,b=%20,x-mse-tags=1'
    const target = await adapter.serve(t, { trust: 'edge' }, async call => carriers(call))
    const headers = [
      ['baggage', baggage],
      ['x-other', 'kept'],
    ] as const
    const { events, result } = await counted(() => target.send({ headers }))
    t.strictSame(JSON.parse(result.body), { lane: null, tag: [], baggage: [baggage], other: ['kept'] })
    t.match(events, [{ stripped: false }])
  }

  async function predicate(t: Test) {
    const trust = (request: { headers: Record<string, unknown> }) => {
      if (request.headers['x-from'] === undefined) throw new Error('no sender')
      return request.headers['x-from'] === 'friend'
    }
    const target = await adapter.serve(t, { trust }, async ({ lane }) => headerOf(lane))
    const from = async (...headers: SuiteRequest['headers']) =>
      JSON.parse((await target.send({ headers: [['x-mse-tag', 'gray'], ...headers] })).body)
    t.equal(await from(['x-from', 'friend']), 'gray')
    t.equal(await from(['x-from', 'stranger']), null)
    t.equal(await from(), null)
  }

  async function rules(t: Test) {
    const blue = parseLane('blue')
    const rule = ({ headers }: { headers: Record<string, unknown> }) => {
      if (headers['x-user'] === 'broken') throw new Error('a rule with a bug')
      return headers['x-user'] === 'xiaoming' ? blue : undefined
    }
    const believing = await adapter.serve(t, { rules: rule }, async ({ lane }) => headerOf(lane))
    const edge = await adapter.serve(t, { rules: rule, trust: 'edge' }, async ({ lane }) => headerOf(lane))
    const xiaoming = ['x-user', 'xiaoming'] as const
    const gray = ['x-mse-tag', 'gray'] as const
    const rows = [
      [believing, [xiaoming], 'blue', 'rule'],
      [believing, [xiaoming, gray], 'gray', 'header'],
      [believing, [xiaoming, ['x-mse-tag', 'base']], 'base', 'header'],
      [believing, [xiaoming, ['x-mse-tag', '-']], 'blue', 'rule'],
      [believing, [['x-user', 'broken']], null, undefined],
      [edge, [xiaoming, gray], 'blue', 'rule'],
      [edge, [gray], null, undefined],
    ] as const
    for (const [target, headers, lane, source] of rows) {
      const { events, result } = await counted(() => target.send({ headers }))
      t.equal(JSON.parse(result.body), lane)
      t.strictSame([events.length, events[0]?.source], [1, source])
    }
  }

  async function view(t: Test) {
    const seen: unknown[] = []
    const note = (request: RequestView) => {
      const { method, url, headers } = request
      seen.push([Object.keys(request), method, url, headers['x-other'], typeof request.socket])
    }
    const options: IngressOptions = {
      trust: request => {
        note(request)
        return false
      },
      rules: request => {
        note(request)
        return undefined
      },
    }
    const target = await adapter.serve(t, options, async () => 'ok')
    const headers = [
      ['x-mse-tag', 'gray'],
      ['x-other', 'kept'],
    ] as const
    await target.send({ method: 'POST', path: '/orders?id=7', headers, body: 'hello' })
    const expected = [['headers', 'method', 'url'], 'POST', '/orders?id=7', 'kept', 'object']
    t.ok(seen.length >= 2, 'both were asked')
    for (const one of seen) t.strictSame(one, expected)
  }

  async function escapes(t: Test) {
    const target = await adapter.serve(t, { tag: 'green' }, async ({ lane }) => headerOf(lane))
    for (const [headers, lane, escaped] of [
      [[], null, true],
      [[['x-mse-tag', 'base']], 'base', true],
      [[['x-mse-tag', 'green']], 'green', false],
    ] as const) {
      const { events, result } = await counted(() => target.send({ headers }))
      t.strictSame([result.status, JSON.parse(result.body)], [200, lane])
      t.strictSame([events.length, events[0]?.escaped], [1, escaped])
    }
  }

  async function colour(t: Test) {
    const target = await adapter.serve(t, { tag: 'green', ownLane: 'colour', trust: 'edge' }, async () =>
      headerOf(currentLane()),
    )
    const { events, result } = await counted(() => target.send({ headers: [['x-mse-tag', 'gray']] }))
    t.equal(JSON.parse(result.body), 'green')
    t.match(events, [{ source: 'own', stripped: true, escaped: false }])
    t.equal(headerOf(currentLane()), 'green', 'work without a request is coloured too')
    // The colour belongs to the process; an instance of base has none.
    const slot = (globalThis as Record<symbol, unknown>)[Symbol.for('laneway.context.v1')] as { ownColour: unknown }
    slot.ownColour = undefined
  }

  async function farServer(t: Test) {
    const far = await listen(
      t,
      createServer((request, response) => response.end(JSON.stringify(request.headers['x-mse-tag'] ?? null))),
    )
    const target = await adapter.serve(t, {}, async () => {
      await new Promise(setImmediate)
      return await callOnward(far)
    })
    for (const lane of ['gray', null, 'blue,gray', null]) {
      const headers = lane === null ? [] : [['x-mse-tag', lane] as const]
      t.equal(JSON.parse((await target.send({ headers })).body), lane)
    }
  }

  async function listeners(t: Test) {
    const ends: Promise<(string | null)[]>[] = []
    const target = await adapter.serve(t, {}, async call => {
      ends.push(
        Promise.all(
          ['finish', 'close'].map(
            event =>
              new Promise<string | null>(resolve => call.response.once(event, () => resolve(headerOf(currentLane())))),
          ),
        ),
      )
      const text = await call.body()
      const afterBody = headerOf(currentLane())
      const inTimer = await new Promise(resolve => setTimeout(() => resolve(headerOf(currentLane())), 1))
      return { length: text.length, afterBody, inTimer }
    })
    for (const size of [1, 300_000]) {
      const body = 'x'.repeat(size)
      const result = await target.send({ method: 'POST', headers: [['x-mse-tag', 'gray']], body })
      t.strictSame(JSON.parse(result.body), { length: size, afterBody: 'gray', inTimer: 'gray' })
    }
    t.strictSame(await Promise.all(ends), [
      ['gray', 'gray'],
      ['gray', 'gray'],
    ])
  }

  async function failure(t: Test) {
    const target = await adapter.serve(t, {}, async ({ request }) => {
      if (request.headers['x-fail'] !== undefined) throw new Error('a handler with a bug')
      return headerOf(currentLane())
    })
    const failed = await target.send({
      headers: [
        ['x-mse-tag', 'gray'],
        ['x-fail', '1'],
      ],
    })
    t.equal(failed.status, 500)
    t.equal(JSON.parse((await target.send({ headers: [] })).body), null)
  }

  async function interleaved(t: Test) {
    const lanes = ['gray', null, 'blue', 'gray,blue', null, 'green']
    let arrived = 0
    let open: () => void = () => {}
    const all = new Promise<void>(resolve => {
      open = resolve
    })
    const target = await adapter.serve(t, {}, async () => {
      const before = headerOf(currentLane())
      // The last to arrive resolves the promise that all others wait for.
      if (++arrived === lanes.length) open()
      await all
      return [before, headerOf(currentLane())]
    })
    const answers = await Promise.all(
      lanes.map(lane => target.send({ headers: lane === null ? [] : [['x-mse-tag', lane]] })),
    )
    t.strictSame(
      answers.map(answer => JSON.parse(answer.body)),
      lanes.map(lane => [lane, lane]),
    )
  }

  async function pipelined(t: Test) {
    const finished: Promise<string | null>[] = []
    const target = await adapter.serve(t, {}, async call => {
      const { request, response } = call
      const id = Number(request.headers['x-id'])
      finished[id] = new Promise(resolve => response.once('finish', () => resolve(headerOf(currentLane()))))
      const start = headerOf(currentLane())
      const length = request.method === 'POST' ? (await call.body()).length : 0
      await new Promise(setImmediate)
      return { id, length, lanes: [start, headerOf(currentLane())] }
    })
    if (target.port === undefined) return t.comment('no socket')
    const lanes = ['gray', null, null, 'blue', null, 'gray', 'blue', null, null, 'gray', 'gray', null]
    const requests = lanes.map((lane, index): SuiteRequest => {
      const headers = [['x-id', String(index)] as const]
      if (lane !== null) headers.push(['x-mse-tag', lane] as never)
      return index % 3 === 1 ? { method: 'POST', headers, body: 'body' } : { headers }
    })
    const text = await pipeline(target.port, requests)
    t.strictSame(
      [...text.matchAll(/\{"id".*?\]\}/g)].map(([json]) => JSON.parse(json)),
      lanes.map((lane, index) => ({ id: index, length: index % 3 === 1 ? 4 : 0, lanes: [lane, lane] })),
    )
    t.strictSame(await Promise.all(finished), lanes)
  }
}

async function counted<T>(fn: () => Promise<T>): Promise<{ events: IngressEvent[]; result: T }> {
  const events: IngressEvent[] = []
  const collect = (event: unknown) => {
    events.push(event as IngressEvent)
  }
  channels.ingress.subscribe(collect)
  try {
    return { result: await fn(), events }
  } finally {
    channels.ingress.unsubscribe(collect)
  }
}

function headerOf(lane: { header: string } | { lane: string | undefined } | undefined): string | null {
  if (lane === undefined) return null
  return ('header' in lane ? lane.header : lane.lane) ?? null
}

/** Everything a proxying handler might copy into a call of its own. */
function carriers({ request, lane }: SuiteCall): unknown {
  const views = (name: string) => {
    const { headers, headersDistinct, rawHeaders } = request
    const raw = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name)
    // `inject()` requests have no headersDistinct.
    return [
      ...new Set([headers[name], headersDistinct?.[name]?.join(), raw.length === 0 ? undefined : raw.join()]),
    ].filter(value => value !== undefined)
  }
  return { lane: headerOf(lane), tag: views('x-mse-tag'), baggage: views('baggage'), other: views('x-other') }
}

/** A call as an egress adapter makes it: the lane of the calling code goes along. */
function callOnward(port: number): Promise<unknown> {
  const lane = currentLane()
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', headers: lane === undefined ? {} : { 'x-mse-tag': lane.header } }, response => {
      let body = ''
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => resolve(JSON.parse(body)))
    }).on('error', reject)
  })
}

/** Writes all requests at once on one connection. */
function pipeline(port: number, requests: readonly SuiteRequest[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        requests
          .map((one, index) => requestBytes(one, index === requests.length - 1 ? 'close' : 'keep-alive'))
          .join(''),
      ),
    )
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
  })
}
