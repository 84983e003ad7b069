import { LanewayError, parseLane } from '@laneway/core'
import {
  type Context,
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
} from '@opentelemetry/api'
import {
  CompositePropagator,
  suppressTracing,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core'
import t from 'tap'
import { contextInLane } from '../src/context/lane-context.js'
import { LanePropagator, type LanePropagatorOptions, laneOf } from '../src/index.js'

const MSE_GRAY = '__microservice_tag__=%5B%7B%22tag%22%3A%22gray%22%7D%5D'

/** The W3C propagators with ours behind them, as the README composes them. */
function composed(options?: LanePropagatorOptions) {
  return new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator(), new LanePropagator(options)],
  })
}

function extract(carrier: Record<string, string | string[]>, options?: LanePropagatorOptions): Context {
  return composed(options).extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
}

function inject(from: Context, options?: LanePropagatorOptions, carrier: Record<string, string> = {}) {
  composed(options).inject(from, carrier, defaultTextMapSetter)
  return carrier
}

const entries = (of: Context) =>
  propagation
    .getBaggage(of)
    ?.getAllEntries()
    .map(([key]) => key) ?? []
const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`)

/** Pads a last member, so that the whole has this many bytes. */
function ofBytes(bytes: number, ...parts: string[]): string {
  const head = [...parts, 'pad='].join(',')
  return head + 'x'.repeat(bytes - head.length)
}

// https://www.w3.org/TR/baggage/: a lane is read wherever it stands, whatever stands beside it.
const READ: [name: string, baggage: string | string[], lane: string | undefined][] = [
  ['a member', 'x-mse-tag=gray', 'gray'],
  ['white space around the member', 'a=1 , x-mse-tag = gray ,b=2', 'gray'],
  ['a tab', 'a=1,\tx-mse-tag=gray', 'gray'],
  ['the first of three', 'x-mse-tag=gray,a=1,b=2', 'gray'],
  ['the middle of three', 'a=1,x-mse-tag=gray,b=2', 'gray'],
  ['the last of three', 'a=1,b=2,x-mse-tag=gray', 'gray'],
  ['a property', 'x-mse-tag=gray;p', 'gray'],
  ['properties with values', 'x-mse-tag=gray ; p = 1 ; q', 'gray'],
  ['a percent-encoded value', 'x-mse-tag=gr%61y', 'gray'],
  ['a percent-encoded list', 'x-mse-tag=gray-2%2Cgray', 'gray-2,gray'],
  ['a broken percent sequence', 'x-mse-tag=gr%6', undefined],
  ['percent-encoded UTF-8', 'x-mse-tag=gr%C3%A4y', undefined],
  ['an empty value', 'x-mse-tag=', undefined],
  ['no equals sign', 'x-mse-tag', undefined],
  ['a value that is no tag', 'x-mse-tag=-', undefined],
  ['quotes, which are part of the value', 'x-mse-tag="gray"', undefined],
  ['another case of the key, which some readers make lower', 'X-Mse-Tag=gray', 'gray'],
  ['a longer key', 'x-mse-tag2=gray', undefined],
  ['a duplicate: the last counts', 'x-mse-tag=blue,x-mse-tag=gray', 'gray'],
  ['a duplicate with others in between', 'x-mse-tag=blue,a=1,x-mse-tag=gray,b=2', 'gray'],
  ['empty members', ',,x-mse-tag=gray,,', 'gray'],
  ['malformed members beside it', 'a,=b,c==d,x-mse-tag=gray,;p=1', 'gray'],
  ['a value with equals signs beside it', 'a=b=c,x-mse-tag=gray', 'gray'],
  ['two header lines', ['a=1', 'x-mse-tag=gray'], 'gray'],
  ['the 64th of 64 members', [...members(63), 'x-mse-tag=gray'].join(','), 'gray'],
  ['the 65th of 65 members', [...members(64), 'x-mse-tag=gray'].join(','), 'gray'],
  ['8192 bytes', ofBytes(8192, 'x-mse-tag=gray'), 'gray'],
  ['8193 bytes', ofBytes(8193, 'x-mse-tag=gray'), 'gray'],
  ["MSE's member", MSE_GRAY, 'gray'],
  [
    "MSE's member in raw JSON, which a parser cuts at its commas",
    '__microservice_tag__=[{"tag":"gray","priority":1}]',
    undefined,
  ],
  ['ours before that of MSE', `${MSE_GRAY},x-mse-tag=blue`, 'blue'],
  ['__proto__ as a key', '__proto__=x,x-mse-tag=gray', 'gray'],
  ['nothing but foreign members', 'a=1,b=2', undefined],
  ['nothing', '', undefined],
]

t.test('the baggage of a carrier is read as W3C says', async t => {
  for (const [name, baggage, lane] of READ) {
    t.equal(laneOf(extract({ baggage }))?.header, lane, name)
  }
})

t.test('the header decides before baggage, also when it is no lane', async t => {
  t.equal(laneOf(extract({ 'x-mse-tag': 'blue', baggage: 'x-mse-tag=gray' }))?.header, 'blue')
  const refused = extract({ 'x-mse-tag': '-', baggage: 'a=1,x-mse-tag=gray' })
  t.equal(laneOf(refused), undefined)
  t.strictSame(entries(refused), ['a'], 'a lane that is refused is in no carrier')
})

t.test('header lines that differ are no lane; equal ones are one', async t => {
  t.equal(laneOf(extract({ 'x-mse-tag': ['gray', 'gray'] }))?.header, 'gray')
  t.equal(laneOf(extract({ 'x-mse-tag': ['gray', 'blue'] })), undefined)
  t.equal(laneOf(extract({ 'x-mse-tag': 'gray, blue' })), undefined, 'as Node joins them')
  t.equal(laneOf(extract({ 'x-mse-tag': 'gray,blue' }))?.header, 'gray,blue')
})

t.test('a carrier without our members leaves the context as it is', async t => {
  const outer = contextInLane(ROOT_CONTEXT, parseLane('gray'))
  const lane = new LanePropagator()
  t.equal(lane.extract(outer, {}, defaultTextMapGetter), outer)
  t.equal(lane.extract(outer, { baggage: 'a=1' }, defaultTextMapGetter), outer)
})

t.test('an untrusted sender sets no lane, and leaves nothing in the active baggage', async t => {
  const spoof = { 'x-mse-tag': 'gray', baggage: `a=1,x-mse-tag=gray,${MSE_GRAY},b=2` }
  const throws = () => {
    throw new Error('no')
  }
  for (const trust of ['edge', () => false, throws, () => 'yes' as never] as const) {
    const result = extract(spoof, { trust })
    t.equal(laneOf(result), undefined)
    t.strictSame(entries(result), ['a', 'b'])
  }
  t.equal(laneOf(extract(spoof, { trust: carrier => (carrier as typeof spoof).baggage !== '' }))?.header, 'gray')
})

t.test('by default inject writes nothing of ours and leaves foreign members byte for byte', async t => {
  const from = extract({ 'x-mse-tag': 'gray', baggage: 'a=1;p=2;q,b=%20x' })
  const carrier = inject(from)
  t.strictSame(carrier, { baggage: 'a=1;p=2;q,b=%20x' })
  t.strictSame(new LanePropagator().fields(), [])
})

t.test('inject: true writes header and member, the member first', async t => {
  const from = extract({ 'x-mse-tag': 'gray-2,gray', baggage: 'a=1;p=2,x-mse-tag=old,b=%20x' })
  t.strictSame(inject(from, { inject: true }), {
    baggage: 'x-mse-tag=gray-2%2Cgray,a=1;p=2,b=%20x',
    'x-mse-tag': 'gray-2,gray',
  })
  t.strictSame(inject(ROOT_CONTEXT, { inject: true }), {})
  t.strictSame(new LanePropagator({ inject: true }).fields(), ['x-mse-tag', 'baggage'])
})

t.test('inject: true keeps the whole within 64 members and 8192 bytes', async t => {
  const lane = contextInLane(ROOT_CONTEXT, parseLane('gray'))
  const write = (baggage: string) => {
    const carrier = { baggage }
    new LanePropagator({ inject: true }).inject(lane, carrier, defaultTextMapSetter)
    return carrier.baggage
  }
  t.equal(write(members(63).join(',')), `x-mse-tag=gray,${members(63).join(',')}`)
  t.equal(write(members(64).join(',')), `x-mse-tag=gray,${members(63).join(',')}`)
  const fits = ofBytes(8192 - 'x-mse-tag=gray,'.length, 'a=1')
  t.equal(write(fits), `x-mse-tag=gray,${fits}`)
  t.equal(write(`${fits}x`), 'x-mse-tag=gray,a=1')
})

t.test('inject: "remove" takes out what other propagators wrote of ours', async t => {
  const from = extract({ baggage: `a=1;p=2,x-mse-tag=gray,${MSE_GRAY},b=2` })
  t.strictSame(inject(from, { inject: 'remove' }), { baggage: 'a=1;p=2,b=2' })
  t.strictSame(inject(extract({ baggage: 'x-mse-tag=gray' }), { inject: 'remove' }), {}, 'no empty header')
  t.strictSame(inject(extract({ baggage: 'a=1' }), { inject: 'remove' }), { baggage: 'a=1' })
})

t.test('what OpenTelemetry does for itself carries no lane', async t => {
  const from = suppressTracing(contextInLane(ROOT_CONTEXT, parseLane('gray')))
  t.strictSame(inject(from, { inject: true }), {})
})

t.test('another header, other formats', async t => {
  t.equal(laneOf(extract({ 'x-lane': 'gray' }, { header: 'X-Lane' }))?.header, 'gray')
  t.equal(laneOf(extract({ 'x-mse-tag': 'gray' }, { header: 'X-Lane' })), undefined)
  t.equal(laneOf(extract({ baggage: 'x-mse-tag=gray' }, { formats: ['header'] })), undefined)
})

t.test('wrong options are refused', async t => {
  const wrong: [unknown, RegExp][] = [
    [{ trsut: 'edge' }, /did you mean "trust"/],
    [{ trust: 'private' }, /trust is "internal", "edge" or a function/],
    [{ header: 'baggage' }, /header/],
    [{ formats: ['bagage'] }, /did you mean "baggage"/],
    [{ inject: 'yes' }, /inject/],
  ]
  for (const [options, message] of wrong) {
    t.throws(() => new LanePropagator(options as never), { code: 'LANEWAY_INVALID_OPTION', message })
  }
  t.throws(() => new LanePropagator({ trust: 1 as never }), LanewayError)
  // @ts-expect-error a propagator sees no socket
  t.throws(() => new LanePropagator({ trust: 'private' }))
  t.equal(context.active(), ROOT_CONTEXT)
})
