import { LanewayError } from '@laneway/core'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'
import type { ServiceInfo } from '../src/index.js'
import { SourceSubscription } from '../src/source/source-subscription.js'

/** A list of instances by port, as session `session` of the client gets it. */
function info(...ports: number[]): ServiceInfo {
  const instances = ports.map(port => ({
    ip: '10.0.0.1',
    port,
    weight: 1,
    healthy: true,
    enabled: true,
    clusterName: 'DEFAULT',
    metadata: {},
  }))
  return { name: 'a', groupName: 'DEFAULT_GROUP', instances, lastRefTime: 0, healthUnknown: false }
}

/** A subscription whose grace ends when the test says so. */
function subscription() {
  const seen = new SourceReports()
  let end: (() => void) | undefined
  const made = new SourceSubscription({
    listener: seen.listener,
    startGrace(ended) {
      end = ended
      return () => {
        end = undefined
      }
    },
    toEndpoints: ({ instances }) => instances.map(({ ip, port }) => ({ host: ip, port })),
    store: undefined,
    emptied() {},
  })
  return {
    made,
    ports: () => seen.endpoints.map(({ port }) => port).sort(),
    seen,
    endGrace: () => end?.(),
    graceRuns: () => end !== undefined,
  }
}

const lost = new LanewayError('LANEWAY_NACOS_UNAVAILABLE', 'lost')

t.test('the grace runs only while the server can be heard', async t => {
  const { made, ports, seen, endGrace, graceRuns } = subscription()
  made.info(info(1, 2), 1)
  t.notOk(graceRuns(), 'the first list of all is believed as it is')
  for (const session of [2, 3]) {
    made.lost(lost)
    t.notOk(graceRuns(), 'paused while disconnected')
    t.equal(seen.last, 'stale')
    made.info(info(), session)
    t.ok(graceRuns())
    t.strictSame(ports(), [1, 2])
  }
  endGrace()
  t.strictSame(ports(), [])
})

t.test('the grace ends for an instance that came back, and goes on for the others', async t => {
  const { made, ports, endGrace } = subscription()
  made.info(info(1, 2, 3), 1)
  made.lost(lost)
  made.info(info(), 2)
  made.info(info(2), 2)
  made.info(info(), 2)
  t.strictSame(ports(), [1, 3])
  endGrace()
  t.strictSame(ports(), [])
})

t.test('a closed subscription reports nothing, also when its grace ends', async t => {
  const { made, seen, graceRuns } = subscription()
  made.info(info(1), 1)
  made.lost(lost)
  made.info(info(), 2)
  const heard = seen.kinds.length
  made.close()
  t.notOk(graceRuns())
  made.info(info(7), 2)
  made.lost(lost)
  t.equal(seen.kinds.length, heard)
})
