import {
  decideOwner,
  END_LEAD_MS,
  KEEP_ENDED_MS,
  LaneLedgerView,
  LEAD_MS,
  ledgerKey,
  ledgerValue,
  MAX_VIEW_AGE_MS,
  ownerOf,
  parseLedgerKey,
} from '@laneway/messaging/internal'
import t from 'tap'

const OPEN = ledgerValue({ start: { 'orders/0': '42' } })
const END = ledgerValue({ end: true })

/** A view whose clock the test sets. */
function viewAt(group = 'orders') {
  const clock = { ms: 0 }
  const view = new LaneLedgerView(group, () => clock.ms)
  view.markFresh(0)
  return { view, clock }
}

t.test('a lane whose group has a name of its own says it', async t => {
  const { view } = viewAt()
  t.equal(view.laneGroupOf('gray'), 'orders_gray')
  view.apply(ledgerKey('orders', 'gray'), OPEN, 1000)
  t.equal(view.laneGroupOf('gray'), 'orders_gray')
  view.apply(ledgerKey('orders', 'gray'), ledgerValue({ start: {}, laneGroup: 'lane.gray' }), 2000)
  t.equal(view.laneGroupOf('gray'), 'lane.gray')
  for (const [n, laneGroup] of ['', 7, null, { a: 1 }].entries()) {
    view.apply(ledgerKey('orders', `blue${n}`), JSON.stringify({ start: {}, laneGroup }), 3000)
    t.equal(view.laneGroupOf(`blue${n}`), `orders_blue${n}`, JSON.stringify(laneGroup))
  }
})

t.test('ownerOf is the first tag with an interval that holds the timestamp', async t => {
  const intervals = new Map([
    [
      'gray',
      [
        { fromMs: 100, untilMs: 200 },
        { fromMs: 300, untilMs: undefined },
      ],
    ],
    ['blue', [{ fromMs: 150, untilMs: undefined }]],
    ['red', []],
  ])
  const owner = (tags: string[], at: number) => ownerOf(tags, at, intervals)
  t.equal(owner(['gray'], 99), undefined)
  t.equal(owner(['gray'], 100), 'gray')
  t.equal(owner(['gray'], 199), 'gray')
  t.equal(owner(['gray'], 200), undefined)
  t.equal(owner(['gray'], 300), 'gray')
  t.equal(owner(['gray', 'blue'], 250), 'blue')
  t.equal(owner(['blue', 'gray'], 160), 'blue')
  t.equal(owner(['green', 'red'], 160), undefined)
  t.equal(owner(['base', 'gray'], 160), undefined, 'base ends the list')
  t.equal(owner([], 160), undefined)
  t.equal(owner(['gray'], -1), undefined, 'a record of Kafka without a timestamp has -1')
  t.equal(owner(['gray'], Number.NaN), undefined)
})

t.test('a message without a lane never waits; one with a lane waits for a young view', async t => {
  const { view, clock } = viewAt()
  view.apply('orders/gray/1', OPEN, 1000)
  clock.ms = MAX_VIEW_AGE_MS - 1
  t.equal(decideOwner(['gray'], 1000 + LEAD_MS, view, 'gray'), 'own')
  t.equal(decideOwner(['gray'], 1000 + LEAD_MS, view, undefined), 'skip')
  t.equal(decideOwner(['gray'], 999 + LEAD_MS, view, 'gray'), 'skip')
  t.equal(decideOwner(['gray'], 999 + LEAD_MS, view, undefined), 'own')
  clock.ms = MAX_VIEW_AGE_MS
  for (const side of [undefined, 'gray', 'blue']) {
    t.equal(decideOwner(['gray'], 999, view, side), 'wait')
    t.equal(decideOwner(undefined, 999, view, side), side === undefined ? 'own' : 'skip')
    t.equal(decideOwner(['base', 'gray'], 999, view, side), side === undefined ? 'own' : 'skip')
  }
})

t.test('a view decides nothing before the log was read to its end', async t => {
  const view = new LaneLedgerView('orders')
  t.equal(view.ageMs(), Number.POSITIVE_INFINITY)
  t.notOk(view.canDecide())
  view.markFresh(view.now())
  t.ok(view.canDecide())
})

t.test('untilFresh waits for a proof that is young enough, and ends with its signal', async t => {
  const { view, clock } = viewAt()
  const forever = new AbortController().signal
  await view.untilFresh(forever)
  clock.ms = 10_000
  let done = 0
  const waiting = [view.untilFresh(forever), view.untilFresh(forever)].map(one => one.then(() => done++))
  const ending = new AbortController()
  const ended = view.untilFresh(ending.signal)
  view.markFresh(clock.ms - MAX_VIEW_AGE_MS)
  await null
  t.equal(done, 0, 'the question was asked too long ago')
  ending.abort(new Error('closed'))
  await t.rejects(ended, { message: 'closed' })
  await t.rejects(view.untilFresh(AbortSignal.abort(new Error('closed before'))), { message: 'closed before' })
  view.markFresh(clock.ms)
  await Promise.all(waiting)
  view.markFresh(5000)
  t.equal(view.ageMs(), 0, 'an older proof that comes late takes nothing away')
})

t.test('an end cuts what stands before it, the lane may return, and the first end counts', async t => {
  const { view } = viewAt()
  const intervals = () => view.entries().map(({ id, fromMs, untilMs }) => [id, fromMs, untilMs])
  t.ok(view.apply('orders/gray/1', OPEN, 1000))
  t.ok(view.apply('orders/gray/2', OPEN, 1500), 'two instances at once')
  t.equal(view.openEntry('gray')?.id, '1')
  t.ok(view.apply('orders/gray/3', END, 2000))
  view.apply('orders/gray/4', END, 90_000)
  t.equal(view.openEntry('gray'), undefined)
  t.ok(view.apply('orders/gray/5', OPEN, 3000))
  t.strictSame(intervals(), [
    ['1', 7000, 62_000],
    ['2', 7500, 62_000],
    ['5', 9000, undefined],
  ])
  t.notOk(view.apply('orders/gray/5', END, 4000), 'a key is written once')
  t.equal(view.openEntry('gray')?.id, '5')
  t.equal(view.openEntry('blue'), undefined)
})

t.test('other groups, what cannot be read and hostile records change nothing', async t => {
  const { view } = viewAt('a/b')
  const refused: [string, string][] = [
    ['a/gray/1', OPEN],
    ['b/gray/1', OPEN],
    ['gray/1', OPEN],
    ['/gray/1', OPEN],
    ['', OPEN],
    ['a/b/base/1', OPEN],
    ['a/b/no tag/1', OPEN],
    ['a/b//1', OPEN],
    ['a/b/gray/', OPEN],
    ...['', '{', 'null', '7', '"end"', '[]', '{}', '{"start":null}', '{"start":7}', '{"__proto__":{"end":1}}'].map(
      (value): [string, string] => ['a/b/gray/1', value],
    ),
  ]
  for (const [key, value] of refused) t.notOk(view.apply(key, value, 1000), `${key} ${value}`)
  t.notOk(view.apply('a/b/gray/1', OPEN, Number.NaN))
  t.notOk(view.apply('a/b/gray/1', null, 1000))
  const hostile = '{"start":{"__proto__":"5","o/0":"6","o/1":7,"o/2":"-1","o/3":"1-2","o/4":{},"o/5":"1e3"},"x":1}'
  t.ok(view.apply('a/b/gray/1', hostile, 1000))
  const start = (place: string) => view.startOf('gray', place, 0)
  t.equal(start('__proto__'), '5')
  t.equal(start('o/0'), '6')
  t.equal(start('o/3'), '1-2')
  for (const place of ['o/1', 'o/2', 'o/4', 'o/5', 'o/9', 'toString']) t.equal(start(place), undefined, place)
  t.strictSame(parseLedgerKey(ledgerKey('a/b', 'gray'))?.group, 'a/b')
  t.not(ledgerKey('a', 'gray'), ledgerKey('a', 'gray'))
})

t.test('a group without commits begins at the first announcement that still counts', async t => {
  const { view } = viewAt()
  const at = (offset: string) => ledgerValue({ start: { 'orders/0': offset } })
  t.equal(view.startOf('gray', 'orders/0', 0), undefined)
  view.apply('orders/gray/1', at('10'), 0)
  view.apply('orders/gray/2', END, 0)
  view.apply('orders/gray/3', at('20'), 100)
  t.equal(view.startOf('gray', 'orders/0', END_LEAD_MS + KEEP_ENDED_MS - 1), '10')
  t.equal(view.startOf('gray', 'orders/0', END_LEAD_MS + KEEP_ENDED_MS), '20')
})

t.test('readersUntilMs leaves time for messages with old timestamps', async t => {
  const { view } = viewAt()
  t.equal(view.readersUntilMs('gray'), Number.NEGATIVE_INFINITY)
  view.apply('orders/gray/1', OPEN, 1000)
  t.equal(view.readersUntilMs('gray'), undefined)
  view.apply('orders/gray/2', END, 2000)
  t.equal(view.readersUntilMs('gray'), 2000 + 2 * END_LEAD_MS)
})

t.test('what a lane owned is read once somebody says so of its last announcement or end', async t => {
  const { view } = viewAt()
  const read = (id: string) => ledgerValue({ read: id })
  t.equal(view.unreadId('gray'), undefined)
  view.apply('orders/gray/1', OPEN, 1000)
  view.apply('orders/gray/2', END, 2000)
  t.equal(view.unreadId('gray'), '2')
  t.ok(view.apply('orders/gray/3', read('2'), 300_000))
  t.equal(view.unreadId('gray'), undefined)
  t.equal(view.readersUntilMs('gray'), 2000 + 2 * END_LEAD_MS, 'what is said of reading moves no end')
  view.apply('orders/gray/4', OPEN, 400_000)
  view.apply('orders/gray/5', END, 500_000)
  view.apply('orders/gray/6', read('2'), 500_001)
  t.equal(view.unreadId('gray'), '5', 'said late of what was before')
  t.notOk(view.apply('orders/gray/7', '{"read":true}', 500_002))
  view.apply('orders/gray/8', read('5'), 700_000)
  t.equal(view.unreadId('gray'), undefined)
  const late = 500_000 + END_LEAD_MS + KEEP_ENDED_MS
  const keys = ['1', '4', '2', '3', '5', '6', '8'].map(id => `orders/gray/${id}`)
  t.strictSame(view.removableKeys(late), keys)
})

t.test('removableKeys removes an end only after what it cut; each step leaves nobody with another owner', async t => {
  const { view } = viewAt()
  view.apply('orders/gray/1', OPEN, 0)
  view.apply('orders/gray/2', OPEN, 1)
  view.apply('orders/gray/3', END, 2)
  view.apply('orders/blue/4', OPEN, 3)
  const late = 2 + END_LEAD_MS + KEEP_ENDED_MS
  t.strictSame(view.removableKeys(late - 1), [])
  const keys = view.removableKeys(late)
  t.strictSame(keys, ['orders/gray/1', 'orders/gray/2', 'orders/gray/3'])
  view.apply('orders/gray/5', OPEN, 4)
  t.strictSame(view.removableKeys(late), ['orders/gray/1', 'orders/gray/2'], 'the end stays while the lane goes on')
  for (const key of keys) {
    t.ok(view.apply(key, null, late))
    t.strictSame(
      view
        .entries()
        .filter(({ untilMs }) => untilMs === undefined)
        .map(({ id }) => id),
      ['5', '4'],
    )
  }
})
