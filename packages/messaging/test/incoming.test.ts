import { channels, type EgressEvent, type LanewayError, runInLane } from '@laneway/core'
import { type MessageEvent, messages } from '@laneway/messaging'
import { createMessageLanes } from '@laneway/messaging/internal'
import { headerCases } from '@laneway/testkit'
import t from 'tap'

const lanes = createMessageLanes('test', 'test')
const read = (value: unknown) => {
  const { lane, problem, stripped } = lanes.incoming({ 'x-mse-tag': value }, {})
  return { lane: lane?.header, problem, stripped }
}
const none = { lane: undefined, problem: undefined, stripped: false }
const gray = { ...none, lane: 'gray' }
const invalid = { ...none, problem: 'invalid' }
const conflict = { ...none, problem: 'conflict' }

const cases: Record<string, [value: unknown, expected: object]> = {
  nothing: [undefined, none],
  'null, as a tombstone has it': [null, none],
  'an empty list': [[], none],
  text: ['gray', gray],
  bytes: [Buffer.from('gray'), gray],
  'bytes inside a larger buffer': [Buffer.from('xgrayx').subarray(1, 5), gray],
  'a list of one': [[Buffer.from('gray')], gray],
  'a list of equal values, text and bytes': [['gray', Buffer.from('gray'), 'gray'], gray],
  'a list of different values': [['gray', 'blue', 'gray'], conflict],
  'a list with an empty value': [['gray', Buffer.alloc(0), 'gray'], conflict],
  'a list of 1,000 equal values': [Array(1000).fill('gray'), conflict],
  'a list in a list': [[['gray']], invalid],
  'empty text': ['', invalid],
  'no bytes': [Buffer.alloc(0), invalid],
  'a list of five tags': ['a,b,c,d,e', invalid],
  '256 bytes': [Buffer.alloc(256, 'a'), invalid],
  'a megabyte': [Buffer.alloc(1_000_000, 'a'), invalid],
  'a megabyte of text': ['a'.repeat(1_000_000), invalid],
  'UTF-8 bytes': [Buffer.from('gräy'), invalid],
  'a number': [42, invalid],
  'a boolean': [true, invalid],
  'a symbol': [Symbol('gray'), invalid],
  'an object': [{ toString: () => 'gray' }, invalid],
  'a nested table': [{ 'x-mse-tag': 'gray' }, invalid],
  __proto__: ['__proto__', invalid],
  'a list of tags': ['gray-2,gray', { ...none, lane: 'gray-2,gray' }],
}

for (const [name, [value, expected]] of Object.entries(cases)) {
  t.test(`a message with ${name}`, async t => t.strictSame(read(value), expected))
}

t.test('a message reads as an HTTP request with the same header', async t => {
  for (const { name, lines, baggage, lane, problem } of headerCases) {
    if (baggage !== undefined) continue
    t.strictSame(read(lines.length === 1 ? lines[0] : [...lines]), { lane, problem, stripped: false }, name)
    t.strictSame(read(lines.map(line => Buffer.from(line))), { lane, problem, stripped: false }, `${name}, bytes`)
  }
})

t.test('trust: a message whose sender is not believed has no lane', async t => {
  const trusting = (trust: any) => {
    const { incoming } = createMessageLanes('test', 'test', { trust })
    return (value: unknown, message: unknown) => incoming({ 'x-mse-tag': value }, message)
  }
  const stripped = { lane: undefined, problem: undefined, stripped: true }
  t.strictSame(trusting('edge')('gray', {}), stripped)
  t.strictSame(trusting('edge')(['gray', 'blue'], {}), stripped)
  t.strictSame(trusting('edge')(undefined, {}), { lane: undefined, problem: undefined, stripped: false })
  const own = trusting((message: any) => message.from === 'us')
  t.equal(own('gray', { from: 'us' }).lane?.header, 'gray')
  t.strictSame(own('gray', { from: 'them' }), stripped)
  const throwing = trusting(() => {
    throw new Error('no')
  })
  t.strictSame(throwing('gray', {}), stripped)
})

t.test('wrong options name the option and what was received', async t => {
  const refused = (options: any) => {
    try {
      createMessageLanes('laneQueue', 'bullmq', options)
    } catch (error) {
      return (error as LanewayError).message
    }
    return undefined
  }
  t.match(refused({ trust: 'private' }), /laneQueue: trust is "internal", "edge" or a function, received "private"/)
  t.match(refused({ headers: 'x' }), /did you mean "header"\?/)
  t.match(refused({ header: '__proto__' }), /LANEWAY_INVALID_OPTION/)
  t.match(refused({ propagate: true }), /propagate is a function, received true/)
  t.match(refused({ tag: '-' }), /LANEWAY_INVALID_TAG/)
})

t.test('events tell the outcome, and are built only for subscribers', async t => {
  const events: MessageEvent[] = []
  const note = (event: unknown) => events.push(event as MessageEvent)
  lanes.report('mail', lanes.incoming({ 'x-mse-tag': 'gray' }, {}), 'base')
  messages.subscribe(note)
  t.teardown(() => messages.unsubscribe(note))
  const ofGray = createMessageLanes('test', 'amqp', { tag: 'gray' })
  for (const value of ['gray', 'blue', undefined, '-', 'base', 'blue,gray']) {
    const decision = ofGray.incoming({ 'x-mse-tag': value }, {})
    ofGray.report('mail', decision, ofGray.outcomeOf(decision))
  }
  t.strictSame(
    events.map(({ lane, outcome, problem, escaped }) => [lane?.header, outcome, problem, escaped]),
    [
      ['gray', 'own', undefined, false],
      ['blue', 'strayed', undefined, false],
      [undefined, 'strayed', undefined, true],
      [undefined, 'strayed', 'invalid', true],
      ['base', 'strayed', undefined, true],
      ['blue,gray', 'own', undefined, false],
    ],
  )
  t.match(events[0], { system: 'amqp', destination: 'mail', stripped: false })
})

t.test('a produced message has the lane of the call, or a valid tag that the program set', async t => {
  const egress: EgressEvent[] = []
  const note = (event: unknown) => egress.push(event as EgressEvent)
  channels.egress.subscribe(note)
  t.teardown(() => channels.egress.unsubscribe(note))
  const out = (handSet?: unknown) => lanes.tagged('mail', { 'x-mse-tag': handSet })?.['x-mse-tag']
  t.equal(out(), undefined)
  t.equal(out('blue'), 'blue')
  t.equal(out('-'), undefined)
  t.equal(out(null), undefined)
  runInLane('gray', () => {
    t.equal(out(), 'gray')
    t.equal(out('blue'), 'blue')
    t.equal(out(Buffer.from('blue')), 'blue')
    t.equal(out('-'), 'gray')
    t.equal(out(['blue', 'green']), 'gray')
    t.equal(out(42), 'gray')
  })
  t.strictSame(
    egress.map(({ host, action }) => `${host} ${action}`).filter(text => text.endsWith('invalid')).length,
    4,
    'each invalid value is counted',
  )
})

t.test('propagate keeps the lane from a destination, whoever set it', async t => {
  const scoped = createMessageLanes('test', 'test', { propagate: name => name !== 'partner' })
  runInLane('gray', () => {
    t.equal(scoped.tagged('partner', undefined), undefined)
    t.equal(scoped.tagged('partner', { 'x-mse-tag': 'blue' })?.['x-mse-tag'], undefined)
    t.equal(scoped.tagged('mail', undefined)?.['x-mse-tag'], 'gray')
    const throwing = createMessageLanes('test', 'test', {
      propagate: () => {
        throw new Error('no')
      },
    })
    t.equal(throwing.tagged('mail', undefined), undefined)
  })
})
