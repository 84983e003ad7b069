import { decideOwner, LaneLedgerView, ledgerValue } from '@laneway/messaging/internal'
import fc from 'fast-check'
import t from 'tap'
import { exploreAll, follow, walk } from './explore.js'
import { CASES, LARGE, STALLED } from './scenarios.js'

// The long form, `npm run test:messages -- --only=model`, explores the rest of the cases and more random schedules.
for (const { name, scenario, finds } of CASES.filter(({ long }) => !long)) {
  t.test(`every schedule: ${name}`, async t => {
    const { states, finding } = exploreAll(scenario)
    t.comment(`${states} states`)
    if (finds) t.ok(finding, 'the exploration sees what is wrong')
    else t.equal(finding && `${finding.problem}: ${finding.schedule.join('; ')}`, undefined)
  })
}

t.test('control: offsets that are copied, not announced, lose a message', async t => {
  const { scenario, schedule } = STALLED
  t.equal(walk({ ...scenario, fault: 'copied-offsets' }, schedule), 'lost')
  t.equal(walk(scenario, schedule), undefined)
})

t.test('random schedules of many members, lanes and partitions', async () => {
  fc.assert(
    fc.property(fc.array(fc.nat(10_000), { minLength: 40, maxLength: 120 }), choices => {
      const { finding } = follow(LARGE, choices)
      if (finding !== undefined) throw new Error(`${finding.problem}: ${finding.schedule.join('; ')}`)
    }),
    { numRuns: 60 },
  )
})

t.test('for any tags, timestamp and ledger exactly one of base and the lanes owns a message', async () => {
  const lanes = ['gray', 'gray-2', 'blue']
  const record = fc.tuple(fc.constantFrom(...lanes), fc.boolean(), fc.integer({ min: 0, max: 300_000 }))
  const tags = fc.option(fc.array(fc.constantFrom(...lanes, 'red'), { minLength: 1, maxLength: 4 }), { nil: undefined })
  const timestamp = fc.oneof(fc.integer({ min: -1, max: 500_000 }), fc.constant(Number.NaN))
  fc.assert(
    fc.property(fc.array(record, { maxLength: 12 }), tags, timestamp, (records, tags, timestampMs) => {
      const view = new LaneLedgerView('orders', () => 0)
      view.markFresh(0)
      records.sort((a, b) => a[2] - b[2])
      for (const [n, [lane, opens, atMs]] of records.entries())
        view.apply(`orders/${lane}/${n}`, ledgerValue(opens ? { start: {} } : { end: true }), atMs)
      const owners = [undefined, ...lanes, 'red'].filter(side => decideOwner(tags, timestampMs, view, side) === 'own')
      return owners.length === 1 && (owners[0] === undefined || tags?.includes(owners[0]) === true)
    }),
    { numRuns: 500 },
  )
})
