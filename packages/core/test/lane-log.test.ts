import { Writable } from 'node:stream'
import pino from 'pino'
import t, { type Test } from 'tap'
import winston from 'winston'
import { channels, type Logger, logLanes, parseLane } from '../src/index.js'
import {
  createCallInfo,
  createEgressScope,
  createIngress,
  currentRequest,
  duringCall,
  publishEgress,
} from '../src/internal.js'

const now = () => new Date('2026-01-02T03:04:05.006Z')

function lines(t: Test, options: Parameters<typeof logLanes>[0] = {}): string[] {
  const written: string[] = []
  const log = logLanes({ write: text => void written.push(text), now, ...options })
  t.teardown(() => log.close())
  return written
}

/** A request as a server hands it over. */
const request = (headers: Record<string, string>, url = '/orders/7?token=s3cret', method = 'GET') => ({
  headers,
  url,
  method,
  socket: { remoteAddress: '10.0.0.9' },
})

function decide(one: ReturnType<typeof request>, options: Parameters<typeof createIngress>[1] = {}) {
  return createIngress('test', options)(one)
}

t.test('each kind of request has one line that says whom the ingress trusts and why', async t => {
  for (const [headers, options, line] of [
    [
      { 'x-mse-tag': 'gray' },
      {},
      'lane=gray source=header outcome=accepted: the sender 10.0.0.9 is believed, its header says it',
    ],
    [
      { baggage: 'x-mse-tag=gray' },
      {},
      'lane=gray source=baggage outcome=accepted: the sender 10.0.0.9 is believed, its baggage says it',
    ],
    [{}, {}, 'outcome=untagged: the request carries no tag'],
    [
      { 'x-mse-tag': 'gray' },
      { trust: 'edge' },
      'outcome=stripped: the sender 10.0.0.9 is not believed (trust), its tag was removed',
    ],
    [{ 'x-mse-tag': 'not a lane' }, {}, 'outcome=invalid: what it carried is no lane, and was removed'],
    [{}, { rules: () => parseLane('blue') }, 'lane=blue source=rule outcome=coloured: a rule gave the lane'],
    [
      {},
      { rules: Object.assign(() => parseLane('blue'), { ruleOf: () => 'testers' }) },
      'lane=blue source=rule rule=testers outcome=coloured: rule testers gave the lane',
    ],
    [
      {},
      { tag: 'green', ownLane: 'colour' },
      'lane=green source=own outcome=coloured: untagged, so the own lane of this instance holds; a request without',
    ],
    [
      {},
      { tag: 'green' },
      'outcome=untagged: the request carries no tag; a request without lane came to an instance of a lane',
    ],
    [
      { 'x-mse-tag': 'gray', baggage: 'x-mse-tag=blue' },
      {},
      'lane=gray source=header outcome=accepted: the sender 10.0.0.9 is believed, its header says it; another carrier names another lane',
    ],
  ] as const) {
    const written = lines(t)
    decide(request({ ...headers, 'x-request-id': 'r-1' }), options as never)
    t.match(
      written.at(-1),
      `laneway: in   2026-01-02T03:04:05.006Z GET /orders/7 id=r-1 ${line.replace(/; a request without$/, '')}`,
    )
    t.match(written.at(-1), /^[^\n]*\n$/, 'one line')
  }
})

t.test('the id is the trace id, else a request id, else a number; one that is not plain is not printed', async t => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  for (const [headers, id] of [
    [{ traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-request-id': 'r' }, trace],
    [{ traceparent: 'nonsense', 'x-request-id': 'r-17' }, 'r-17'],
    [{ 'x-correlation-id': 'c_1:2' }, 'c_1:2'],
    [{ 'x-b3-traceid': '80f198ee56343ba8' }, '80f198ee56343ba8'],
    [{ 'x-request-id': 'a b\u001b[31m' }, /#\d+/],
    [{ 'x-request-id': 'x'.repeat(65) }, /#\d+/],
    [{}, /#\d+/],
  ] as const) {
    const [written] = [lines(t, { json: true })]
    decide(request(headers))
    t.match(JSON.parse(written.at(-1)!).id, id, JSON.stringify(headers))
  }
})

t.test('secrets in queries, user info and headers are never printed, and nothing breaks a line', async t => {
  const written = lines(t)
  const json = lines(t, { json: true })
  const secret = 's3cret'
  for (const url of [
    `/a?password=${secret}`,
    `http://user:${secret}@svc/a?x=${secret}`,
    `/a#${secret}`,
    `/a\nlaneway: in faked ${''}`,
    `/${'a'.repeat(5000)}`,
    '',
  ]) {
    decide(request({ 'x-mse-tag': 'gray', authorization: secret, cookie: secret, baggage: `k=${secret}` }, url))
    const call = createCallInfo({
      method: 'GET',
      path: url,
      service: undefined,
      address: undefined,
      request: undefined,
    })
    duringCall(call, () => publishEgress('svc', parseLane('gray'), 'forwarded'))
  }
  const all = [...written, ...json].join('')
  t.notMatch(all, secret)
  t.equal(written.length, 12)
  for (const line of written) {
    t.equal(line.split('\n').length, 2)
    t.ok(line.length < 500)
  }
})

t.test('a choice and a way out name call, request, service, endpoint and reason', async t => {
  const written = lines(t, { json: true })
  const incoming = request({ 'x-mse-tag': 'gray', 'x-request-id': 'r-2' })
  decide(incoming)
  const call = createCallInfo({
    method: 'POST',
    path: '/pay?card=1',
    service: 'pay',
    address: '10.0.0.2:80',
    request: incoming,
  })
  duringCall(call, () => {
    publishEgress('pay', parseLane('gray'), 'forwarded')
    publishEgress('pay', parseLane('blue'), 'forwarded')
    publishEgress('pay', undefined, 'untagged')
    createEgressScope('test', { warn() {} }).blocked('api.example.com', parseLane('gray')!)
  })
  const common = {
    time: now().toISOString(),
    event: 'egress',
    method: 'POST',
    path: '/pay',
    id: 'r-2',
    endpoint: '10.0.0.2:80',
  }
  t.match(
    written.slice(1).map(line => JSON.parse(line)),
    [
      { ...common, lane: 'gray', source: 'header', host: 'pay', service: 'pay', outcome: 'forwarded' },
      { ...common, lane: 'blue', source: 'code', reason: 'the tag goes along' },
      { ...common, outcome: 'untagged', reason: 'the calling code runs in no lane' },
      { ...common, lane: 'gray', host: 'api.example.com', outcome: 'blocked', reason: /propagateTo/ },
    ],
  )
  t.notOk('lane' in JSON.parse(written[3]!))
})

t.test('pino, winston and a plain logger get entries at debug, with fields', async t => {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  const loggers: [string, Logger][] = [
    ['pino', pino({ level: 'debug' }, stream)],
    ['winston', winston.createLogger({ level: 'debug', transports: [new winston.transports.Stream({ stream })] })],
  ]
  for (const [name, logger] of loggers) {
    const log = logLanes({ logger })
    decide(request({ 'x-mse-tag': 'gray', 'x-request-id': 'r-3' }))
    log.close()
    const said = JSON.parse(chunks.pop()!)
    t.match(said, { event: 'ingress', lane: 'gray', id: 'r-3', outcome: 'accepted', path: '/orders/7' }, name)
    t.match(said.msg ?? said.message, /^laneway ingress accepted: the sender/, name)
  }
  const first: unknown[][] = []
  const second: unknown[][] = []
  const log = logLanes({ logger: { debug: (...args) => first.push(args) } })
  t.teardown(() => log.close())
  decide(request({}))
  log.useLogger({ debug: (...args) => second.push(args) })
  decide(request({}))
  log.useLogger({
    debug: () => {
      throw new Error('disk full')
    },
  })
  t.doesNotThrow(() => decide(request({})), 'a log ends no request')
  t.match([first, second], [[[{ event: 'ingress' }, /untagged/]], [[{ event: 'ingress' }, /untagged/]]])
})

t.test('values that are no logger, and unknown options, are refused', async t => {
  const refused = { code: 'LANEWAY_INVALID_OPTION' }
  t.throws(() => logLanes({ logger: {} as never }), { ...refused, message: /pino, winston or app.log/ })
  t.throws(() => logLanes({ logger: null as never }), refused)
  // @ts-expect-error
  t.throws(() => logLanes({ jsn: true }), { ...refused, message: /did you mean "json"/ })
})

t.test('a closed log leaves no subscriber', async t => {
  const log = logLanes({ write() {} })
  t.ok(channels.ingress.hasSubscribers)
  log.close()
  log.close()
  for (const channel of [channels.ingress, channels.decision, channels.egress, channels.message])
    t.notOk(channel.hasSubscribers)
  t.equal(currentRequest(), undefined, 'and without a request there is none')
})

t.test('each message that reaches a consumer has one line: its queue, its lane, who handles it and why', async t => {
  const written = lines(t)
  const message = { system: 'kafka', destination: 'orders', problem: undefined, stripped: false, escaped: false }
  const gray = parseLane('gray')
  channels.message.publish({ ...message, lane: gray, outcome: 'base' })
  channels.message.publish({ ...message, lane: gray, outcome: 'stand-in' })
  channels.message.publish({ ...message, lane: undefined, outcome: 'base', problem: 'invalid' })
  channels.message.publish({ ...message, lane: undefined, outcome: 'strayed', stripped: true })
  const start = 'laneway: msg  2026-01-02T03:04:05.006Z - -'
  t.strictSame(written, [
    `${start} lane=gray system=kafka destination=orders outcome=base: a consumer of base handles it\n`,
    `${start} lane=gray system=kafka destination=orders outcome=stand-in: no consumer of its lane lives, so base ` +
      'handles it in its lane\n',
    `${start} system=kafka destination=orders outcome=base: what it carried is no lane, and was removed; a consumer of ` +
      'base handles it\n',
    `${start} system=kafka destination=orders outcome=strayed: its sender is not believed (trust), its tag was ` +
      'removed; its consumer belongs to another lane, and consumes without isolation\n',
  ])
})
