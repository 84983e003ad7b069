import { channels, type EgressEvent, parseLane } from '@laneway/core'
import { laneOfCall } from '@laneway/core/internal'
import t from 'tap'

const current = parseLane('gray')

t.test('a valid tag set by hand is the lane of the call, an invalid one gives way and is counted', async t => {
  const events: EgressEvent[] = []
  const collect = (event: unknown) => {
    events.push(event as EgressEvent)
  }
  channels.egress.subscribe(collect)
  t.teardown(() => channels.egress.unsubscribe(collect))
  const rows: readonly (readonly [string | string[] | undefined, string, number])[] = [
    [undefined, 'gray', 0],
    ['blue', 'blue', 0],
    ['blue,green', 'blue,green', 0],
    ['base', 'base', 0],
    [['blue'], 'blue', 0],
    [['blue', 'blue'], 'blue', 0],
    [['blue', 'green'], 'gray', 1],
    [[], 'gray', 1],
    ['', 'gray', 1],
    ['a b', 'gray', 1],
    ['blue\r\nx: y', 'gray', 1],
  ]
  for (const [values, lane, invalid] of rows) {
    events.length = 0
    t.equal(laneOfCall(values, current, 'sc-b')?.header, lane, String(values))
    t.equal(events.length, invalid)
  }
  t.strictSame(events, [{ host: 'sc-b', lane: current, action: 'invalid' }])
  t.equal(laneOfCall('blue', undefined, 'sc-b')?.header, 'blue')
})
