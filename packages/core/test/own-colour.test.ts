import { bindLane, currentLane, detachLane, laneKey, runInLane } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import t from 'tap'

// A file of its own: the colour belongs to the process.
t.test('with ownLane "colour" work without a request runs in the own lane: start-up, cron, queues', async t => {
  t.equal(currentLane(), undefined)
  createIngress('test', { tag: 'green', ownLane: 'ignore' })
  t.equal(currentLane(), undefined, 'off by default')
  const ingress = createIngress('test', { tag: 'green', ownLane: 'colour' })
  t.equal(currentLane()?.header, 'green')
  t.equal(await new Promise(resolve => setTimeout(() => resolve(currentLane()?.header), 1)), 'green')
  t.equal(detachLane(() => currentLane()?.header)(), 'green')
  t.equal(bindLane(() => currentLane()?.header)(), 'green')
  t.equal(laneKey('k'), '@green:k')

  t.equal(
    runInLane('gray', () => currentLane()?.header),
    'gray',
    'a lane that is there wins',
  )
  t.equal(
    runInLane('base', () => currentLane()?.header),
    'base',
    'base too',
  )
  t.equal(ingress({ headers: {} }).lane?.header, 'green')
  t.equal(ingress({ headers: { 'x-mse-tag': 'gray' }, socket: { remoteAddress: '::1' } }).lane?.header, 'gray')
})
