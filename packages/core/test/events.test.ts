import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { createEgressScope } from '../src/egress/egress-scope.js'
import { channels, parseLane } from '../src/index.js'
import { createIngress, laneOfCall } from '../src/internal.js'

const gray = parseLane('gray')!
const privatePeer = { remoteAddress: '127.0.0.1' }

// What each does, and how many events it is worth.
const ingress = createIngress('test', { trust: 'private' })
const scope = createEgressScope('test', { warn: () => {} })
const doings: Record<string, [channel: 'ingress' | 'egress', act: () => unknown]> = {
  'an untagged request': ['ingress', () => ingress({ headers: {}, socket: privatePeer })],
  'a tagged request': ['ingress', () => ingress({ headers: { 'x-mse-tag': 'gray' }, socket: privatePeer })],
  'an invalid tag': ['ingress', () => ingress({ headers: { 'x-mse-tag': 'no tag' }, socket: privatePeer })],
  'a refused tag': [
    'ingress',
    () => ingress({ headers: { 'x-mse-tag': 'gray' }, socket: { remoteAddress: '8.8.8.8' } }),
  ],
  'a tag that is kept from a host': ['egress', () => scope.blocked('third.example', gray)],
  'an invalid tag set by hand': ['egress', () => laneOfCall('no tag', undefined, 'sc-b')],
}

for (const [name, [channel, act]] of Object.entries(doings)) {
  t.test(`${name}: one event while the channel has a subscriber, none without`, async t => {
    // Counts what is handed to the channel, which nobody hears of without a subscriber.
    const published = t.capture(channels[channel], 'publish', channels[channel].publish)
    act()
    t.equal(published().length, 0, 'nobody subscribes')
    const heard: unknown[] = []
    const listener = (event: unknown) => heard.push(event)
    subscribe(`laneway:${channel}`, listener)
    t.teardown(() => unsubscribe(`laneway:${channel}`, listener))
    published.restore()
    act()
    t.equal(heard.length, 1)
    unsubscribe(`laneway:${channel}`, listener)
    act()
    t.equal(heard.length, 1, 'no longer')
  })
}
