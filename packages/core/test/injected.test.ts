import { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import t from 'tap'
import { currentLane, type IngressOptions, parseLane, runInLane } from '../src/index.js'
import { createIngress, decideInjected, decisionOf, guardLayer } from '../src/internal.js'

const gray = parseLane('gray')!
const blue = parseLane('blue')!

function injected(tag?: string, remoteAddress = '127.0.0.1') {
  const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
  return Object.assign(new EventEmitter(), { headers, socket: { remoteAddress } })
}
const decide = (request: unknown, options: IngressOptions = {}) =>
  decideInjected(createIngress('test', options), request)

t.test('a request without a server is decided as every other', t => {
  t.equal(decide(injected('gray'))?.lane, gray)
  t.equal(decide(injected())?.lane, undefined)
  t.equal(decide(injected('gray', '8.8.8.8'))?.lane, undefined)
  t.equal(decide(injected('gray'), { trust: 'edge' })?.lane, undefined)
  t.end()
})

t.test('it is a request of its own: nothing comes from the request around it', t => {
  const around = (request: object) => runInLane(blue, () => decide(request)?.lane)
  t.equal(around(injected()), undefined)
  t.equal(around(injected('gray')), gray)
  t.equal(around(injected('gray', '8.8.8.8')), undefined)
  t.equal(around(injected('not/a/tag')), undefined)
  t.end()
})

t.test('an adapter further in decides the same', t => {
  const preload = createIngress('preload', { provisional: true })
  const adapter = createIngress('adapter')
  const [untagged, tagged] = [injected(), injected('gray')]
  for (const request of [untagged, tagged]) runInLane(blue, () => decideInjected(preload, request))
  t.equal(adapter(untagged).lane, undefined)
  t.equal(adapter(tagged).lane, gray)
  t.end()
})

t.test('requests from a socket, and objects that are no requests, are not decided', t => {
  const values = {
    socket: { headers: {}, socket: new Socket() },
    nothing: undefined,
    null: null,
    text: 'gray',
    bare: {},
  }
  for (const [name, value] of Object.entries(values)) t.equal(decide(value), undefined, name)
  t.equal(decide({ headers: { 'x-mse-tag': 'gray' }, socket: undefined })?.lane, undefined, 'no sender')
  t.end()
})

t.test('a layer decides such a request once; it and its listeners run in its lane', t => {
  const ingress = createIngress('test')
  const seen: unknown[] = []
  let decided = 0
  const layer = (request: EventEmitter, response: EventEmitter) => {
    seen.push(currentLane())
    for (const one of [request, response]) one.on('end', () => seen.push(currentLane()))
  }
  const guarded = guardLayer(
    layer,
    ([request]) => request,
    request => {
      decided++
      return decideInjected(ingress, request)
    },
  )
  const [request, response] = [injected('gray'), new EventEmitter()]
  for (let round = 0; round < 2; round++) guarded(request, response)
  for (const one of [request, response]) runInLane(blue, () => one.emit('end'))
  t.strictSame(seen, Array(6).fill(gray))
  t.equal(decided, 1)
  t.equal(decisionOf(request)?.lane, gray)
  t.end()
})
