import { channels, type IngressEvent, type IngressOptions, type IngressRequest, parseLane } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import fc from 'fast-check'
import t from 'tap'

const MSE = '__microservice_tag__=%5B%7B%22tag%22%3A%22mse%22%7D%5D'

function record(t: { teardown(fn: () => void): void }): IngressEvent[] {
  const events: IngressEvent[] = []
  const collect = (event: unknown) => {
    events.push(event as IngressEvent)
  }
  channels.ingress.subscribe(collect)
  t.teardown(() => channels.ingress.unsubscribe(collect))
  return events
}

function decide(headers: IngressRequest['headers'], options: IngressOptions = {}) {
  return createIngress('test', { trust: 'internal', ...options })({ headers: { ...headers } })
}

t.test('the first format that is present decides', async t => {
  const all = { formats: ['header', 'baggage', 'mse-baggage'] } as const
  const rows: readonly (readonly [IngressRequest['headers'], IngressOptions, string | undefined])[] = [
    [{ 'x-mse-tag': 'header', baggage: `x-mse-tag=member,${MSE}` }, all, 'header'],
    [{ baggage: `${MSE},x-mse-tag=member` }, all, 'member'],
    [{ baggage: MSE }, all, 'mse'],
    [{ 'x-mse-tag': '-', baggage: `x-mse-tag=member,${MSE}` }, all, undefined],
    [{ baggage: `x-mse-tag=-,${MSE}` }, all, undefined],
    [{ baggage: 'x-mse-tag=member' }, {}, 'member'],
    [{ baggage: 'x-mse-tag=member' }, { formats: ['header', 'mse-baggage'] }, undefined],
    [{ baggage: `x-mse-tag=member,${MSE}` }, {}, 'mse'],
    [{ 'x-mse-tag': 'header', baggage: MSE }, { formats: ['mse-baggage', 'header'] }, 'mse'],
    [{ 'x-mse-tag': 'header' }, { formats: ['mse-baggage'] }, undefined],
    [{ baggage: ['a=1', 'x-mse-tag=member'] }, all, 'member'],
  ]
  for (const [headers, options, lane] of rows) {
    t.equal(decide(headers, options).lane?.header, lane, JSON.stringify([headers, options]))
  }
})

t.test('carriers that name different lanes are counted, and the first format decides', async t => {
  for (const [headers, contradicted] of [
    [{ 'x-mse-tag': 'gray', baggage: 'x-mse-tag=blue' }, true],
    [{ 'x-mse-tag': 'gray', baggage: MSE }, true],
    [{ 'x-mse-tag': '-', baggage: 'x-mse-tag=blue' }, true],
    [{ baggage: `${MSE},x-mse-tag=blue` }, true],
    [{ 'x-mse-tag': 'gray', baggage: 'x-mse-tag=gray,a=1' }, false],
    [{ 'x-mse-tag': 'gray', baggage: 'a=1' }, false],
    [{ baggage: 'x-mse-tag=blue' }, false],
  ] as const) {
    const events = record(t)
    decide(headers)
    t.match(events, [{ contradicted }], JSON.stringify(headers))
  }
})

t.test('several header lines with different values are no lane, counted as conflict', async t => {
  const events = record(t)
  const request = (...lines: string[]): IngressRequest => ({
    headers: { 'x-mse-tag': lines.join(', ') },
    rawHeaders: lines.flatMap(line => ['X-Mse-Tag', line]),
  })
  const ingress = createIngress('test', { trust: 'internal' })
  t.equal(ingress(request('gray', 'blue')).lane, undefined)
  t.equal(ingress(request('gray', 'gray')).lane?.header, 'gray')
  t.equal(ingress(request('gray,blue')).lane?.header, 'gray,blue', "only one line's comma list is a list")
  t.equal(ingress({ headers: { 'x-mse-tag': ['gray', 'blue'] } }).lane, undefined, 'an array is lines')
  t.equal(ingress({ headers: { 'x-mse-tag': ['gray', 'gray'] } }).lane?.header, 'gray')
  t.equal(ingress({ headers: { 'x-mse-tag': [] } }).lane, undefined)
  t.strictSame(
    events.map(event => event.problem),
    ['conflict', undefined, undefined, 'conflict', undefined, 'invalid'],
  )
})

t.test('a request is decided and counted once, however many ingresses it passes', async t => {
  const events = record(t)
  const request = { headers: { 'x-mse-tag': 'gray' } as Record<string, string> }
  const first = createIngress('outer', { trust: 'internal' })(request)
  const second = createIngress('inner', { trust: 'edge', rules: () => parseLane('blue') })(request)
  t.equal(first.lane?.header, 'gray')
  t.equal(second, first)
  const untagged = { headers: {} }
  const ingress = createIngress('outer')
  t.equal(ingress(untagged), ingress(untagged))
  t.equal(events.length, 2)
})

t.test('an event says lane, source and problem, and never the value', async t => {
  const events = record(t)
  decide({})
  decide({ 'x-mse-tag': 'gray' })
  decide({ 'x-mse-tag': 'not a tag' })
  decide({ 'x-mse-tag': 'gray' }, { trust: 'edge' })
  decide({ 'x-mse-tag': 'not a tag' }, { trust: 'edge' })
  const plain = {
    lane: undefined,
    source: undefined,
    problem: undefined,
    stripped: false,
    escaped: false,
    contradicted: false,
  }
  t.strictSame(events, [
    plain,
    { ...plain, lane: parseLane('gray'), source: 'header' },
    { ...plain, problem: 'invalid' },
    { ...plain, stripped: true },
    { ...plain, stripped: true },
  ])
})

t.test('the order is: trusted carrier, rule, own lane', async t => {
  const rules = (request: IngressRequest) => (request.headers['x-user'] === undefined ? undefined : parseLane('rule'))
  const options: IngressOptions = { rules, tag: 'own' }
  t.equal(decide({ 'x-mse-tag': 'gray', 'x-user': '1' }, options).lane?.header, 'gray')
  t.equal(decide({ 'x-mse-tag': 'base', 'x-user': '1' }, options).lane?.header, 'base', 'base is a tag like any other')
  t.equal(decide({ 'x-user': '1' }, options).lane?.header, 'rule')
  t.equal(decide({}, options).lane, undefined, 'the own lane colours on request only')
})

t.test('an accepted tag is recoloured by a rule at an edge only, where none is accepted', async t => {
  const rules = () => parseLane('rule')
  t.equal(decide({ 'x-mse-tag': 'gray' }, { rules }).lane?.header, 'gray')
  t.equal(decide({ 'x-mse-tag': 'gray' }, { rules, trust: 'edge' }).lane?.header, 'rule')
})

t.test('a rule that throws, or returns no lane, colours nothing', async t => {
  const bad = [
    () => {
      throw new Error('a rule with a bug')
    },
    async () => parseLane('gray'),
    () => 'gray',
    () => null,
    () => ({}),
  ] as never[]
  for (const rules of bad) t.equal(decide({}, { rules }).lane, undefined)
})

t.test('a rule sees what is left after the removal', async t => {
  let seen: unknown
  const rules = (request: IngressRequest) => {
    seen = { ...request.headers }
    return undefined
  }
  decide({ 'x-mse-tag': 'gray', a: '1' }, { rules, trust: 'edge' })
  t.strictSame(seen, { a: '1' })
})

t.test('an untagged request at a lane instance is an escape, a tagged one is not', async t => {
  const events = record(t)
  decide({}, { tag: 'green' })
  decide({ 'x-mse-tag': 'base' }, { tag: 'green' })
  decide({ 'x-mse-tag': 'gray' }, { tag: 'green' })
  decide({ 'x-mse-tag': 'green' }, { tag: 'green', trust: 'edge' })
  decide({}, { tag: 'base' })
  decide({}, { tag: ' ' })
  t.strictSame(
    events.map(event => event.escaped),
    [true, true, false, true, false, false],
  )
})

t.test('wrong options are refused when the ingress is made', async t => {
  const rows: readonly (readonly [unknown, RegExp])[] = [
    [{ headers: 'x' }, /no option "headers", did you mean "header"\?/],
    [{ thrust: 'edge' }, /did you mean "trust"\?/],
    [{ trust: 'public' }, /"public"/],
    [{ header: '' }, /header/],
    [{ header: 'x lane' }, /"x lane"/],
    [{ header: 'x-lane\r\n' }, /header/],
    [{ header: 'Baggage' }, /"Baggage"/],
    [{ header: '__proto__' }, /"__proto__"/],
    [{ header: 'constructor' }, /"constructor"/],
    [{ header: 7 }, /7/],
    [{ formats: ['headers'] }, /did you mean "header"\?/],
    [{ ownLane: 'color' }, /did you mean "colour"\?/],
    [null, /options object/],
    [[], /options object/],
    ['edge', /options object/],
  ]
  for (const [options, message] of rows) {
    t.throws(() => createIngress('expressLane', options as never), { code: 'LANEWAY_INVALID_OPTION', message })
  }
  t.throws(() => createIngress('expressLane', { tag: 'a b' }), { code: 'LANEWAY_INVALID_TAG', message: /"a b"/ })
  t.throws(
    () => createIngress('expressLane', { tag: 'a,b' }),
    { code: 'LANEWAY_INVALID_TAG' },
    'an instance has one tag',
  )
})

t.test("the caller's options are neither written to nor read again", async t => {
  const formats = ['header'] as ('header' | 'baggage')[]
  const options: IngressOptions = Object.freeze({ formats, trust: 'internal' as const })
  const ingress = createIngress('test', options)
  formats.push('baggage')
  t.equal(ingress({ headers: { baggage: 'x-mse-tag=gray' } }).lane, undefined)
})

t.test('whatever bytes a request has, it is served: never an exception, never a lane outside the grammar', async () => {
  const bytes = fc.uint8Array({ maxLength: 64 }).map(array => Buffer.from(array).toString('latin1'))
  const near = fc.constantFrom(
    'gray',
    'gray,blue',
    ',',
    '%',
    '__proto__',
    'x-mse-tag=',
    `${MSE}`,
    ';',
    '[{"tag":"a"}]',
    '',
  )
  const value = fc.array(fc.oneof(bytes, near), { maxLength: 4 }).map(parts => parts.join(''))
  const headerValue = fc.oneof(value, fc.array(value, { maxLength: 3 }))
  const ingresses = (['internal', 'edge'] as const).map(trust =>
    createIngress('test', { trust, formats: ['header', 'baggage', 'mse-baggage'] }),
  )
  fc.assert(
    fc.property(
      fc.record({ 'x-mse-tag': headerValue, baggage: headerValue }, { requiredKeys: [] }),
      fc.array(fc.tuple(fc.constantFrom('X-Mse-Tag', 'Baggage', '__proto__', 'x'), value), { maxLength: 4 }),
      (headers, raw) => {
        for (const ingress of ingresses) {
          const decision = ingress({ headers: structuredClone(headers), rawHeaders: raw.flat() })
          if (decision.lane === undefined) continue
          if (parseLane(decision.lane.header)?.header !== decision.lane.header) return false
        }
        return true
      },
    ),
    { numRuns: 2000 },
  )
})
