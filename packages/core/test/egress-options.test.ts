import { type EgressOptions, parseLane } from '@laneway/core'
import { endpointTls, milliseconds, readEgressOptions, refusalOf } from '@laneway/core/internal'
import t from 'tap'

const resolver = { match: () => undefined, pick: () => undefined }
const read = (input: EgressOptions<typeof resolver> & { connectTimeoutMs?: number }) =>
  readEgressOptions('LaneAgent', input, { endpointTls, connectTimeoutMs: milliseconds(2000, 1) })

t.test('the defaults of an adapter that sends requests', async t => {
  const { scope, ...settings } = read({})
  t.strictSame(settings, {
    resolver: undefined,
    header: 'x-mse-tag',
    also: undefined,
    baggage: false,
    keepHandSet: false,
    endpointTls: undefined,
    connectTimeoutMs: 2000,
  })
  t.equal(scope.includes('sc-b'), true)
  t.equal(scope.includes('api.example.com'), false)
})

t.test('what is given is in the settings', async t => {
  const settings = read({ resolver, header: 'X-Lane', propagateTo: ['api.example.com'], connectTimeoutMs: 1 })
  t.equal(settings.resolver, resolver)
  t.equal(settings.header, 'x-lane')
  t.equal(settings.scope.includes('api.example.com'), true)
  t.equal(settings.connectTimeoutMs, 1)
})

t.test('resolve: false leaves the resolver out, checked all the same', async t => {
  t.equal(read({ resolver, resolve: false }).resolver, undefined)
  t.equal(read({ resolver, resolve: true }).resolver, resolver)
  t.throws(() => read({ resolver: {} as never, resolve: false }), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => read({ resolve: 0 as never }), { message: /resolve is true or false, received 0/ })
})

const refused: [object, RegExp][] = [
  [
    { resolver: {} },
    /LaneAgent: resolver is what createLaneResolver\(\) of @laneway\/discovery returns, received \{\}/,
  ],
  [{ resolver: null }, /resolver is what createLaneResolver/],
  [{ resolver: { pick() {} } }, /resolver is what createLaneResolver/],
  [{ baggage: 1 }, /baggage is true, false or 'mse', received 1/],
  [{ propagateTo: ['http://x'] }, /propagateTo is a list of hosts/],
  [{ header: 'a b' }, /header is the name of a header of its own/],
  [{ endpointTls: { servername: '' } }, /endpointTls.servername is a text that is not empty/],
  [{ endpointTls: { cA: '' } }, /endpointTls has no option "cA", did you mean "ca"/],
  [{ resolvr: 1 }, /has no option "resolvr", did you mean "resolver"/],
  [{ connectTimeoutMs: '2000' }, /connectTimeoutMs is a number of milliseconds from 1 to 2147483647, without quotes/],
]
for (const [input, message] of refused) {
  t.test(`refused: ${message.source}`, async t => {
    t.throws(() => read(input as never), { code: 'LANEWAY_INVALID_OPTION', message })
  })
}

t.test('a resolver that explains refuses in its own words, another one in short ones', async t => {
  const choice = { service: 'sc-b', outcome: 'lane-required' }
  const lane = parseLane('gray')
  const own = new Error('mine') as never
  t.equal(refusalOf({ refusal: () => own }, choice, lane), own)
  const cause = new Error('connect ECONNREFUSED')
  t.match(refusalOf({}, choice, lane, cause), {
    code: 'LANEWAY_LANE_REQUIRED',
    text: 'sc-b cannot take a request in lane gray: its resolver chose no endpoint (lane-required)',
    cause,
  })
  t.equal(refusalOf({}, { ...choice, outcome: 'not-ready' }, lane).code, 'LANEWAY_NOT_READY')
  t.match(refusalOf({}, { ...choice, outcome: 'no-base' }, undefined), {
    code: 'LANEWAY_NO_BASE',
    text: /a request without a lane/,
  })
})
