import { channels, type DecisionEvent, type Lane, parseLane } from '@laneway/core'
import { type HandledHost, serviceHandle } from '@laneway/core/internal'
import t, { type Test } from 'tap'
import { type Choice, createLaneResolver, type EndpointInput, type LaneResolver } from '../src/index.js'
import { endpoint } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

const HOST: HandledHost = { hostname: 'sc-b', port: undefined, secure: false }

function resolverOf(t: Test, options: object = {}) {
  const source = createScriptedSource()
  const resolver = createLaneResolver({ sources: [source], warn: () => {}, env: {}, ...options })
  t.teardown(() => resolver.close())
  return { source, resolver }
}

const handleOf = (resolver: LaneResolver, host = HOST) => serviceHandle<Choice>(resolver, host)

t.test('a kept handle takes part in every change at the next request', async t => {
  const { source, resolver } = resolverOf(t, { services: ['sc-B', 'sc-X', 'sc-Y'] })
  const handle = handleOf(resolver)
  const gray = parseLane('gray')
  /** What a request finds, by the handle. By the resolver it must be the same object. */
  const found = (lane: Lane | undefined) => {
    const service = handle.match()
    t.equal(service, resolver.match('sc-b', undefined, false))
    if (service === undefined) return 'no service'
    const choice = handle.pick(service, lane)
    t.equal(choice.endpoint, resolver.pick(service, lane).endpoint)
    return `${choice.outcome} ${choice.endpoint?.host ?? '-'}`
  }
  const at = (host: string, more: Partial<EndpointInput> = {}) => endpoint({ host, ...more })
  const tagged = (host: string, more: Partial<EndpointInput> = {}) => at(host, { tags: ['gray'], ...more })

  t.equal(found(gray), 'not-ready -', 'before the first snapshot')
  source.snapshot('sc-B', [at('10.0.0.1')])
  t.equal(found(gray), 'fallback-missing 10.0.0.1')
  source.snapshot('sc-B', [at('10.0.0.1'), tagged('10.0.0.2')])
  t.equal(found(gray), 'lane 10.0.0.2', 'the lane was announced')
  t.equal(found(undefined), 'base 10.0.0.1')
  source.snapshot('sc-B', [at('10.0.0.1'), tagged('10.0.0.3')])
  t.equal(found(gray), 'lane 10.0.0.3', 'its endpoint was replaced')
  source.snapshot('sc-B', [at('10.0.0.1'), tagged('10.0.0.3', { health: 'unhealthy' })])
  t.equal(found(gray), 'fallback-unavailable 10.0.0.1')
  resolver.update({ whenLaneUnavailable: 'fail' })
  t.equal(found(gray), 'lane-required -', 'the settings were replaced')
  resolver.update({})
  source.stale('sc-B', new Error('lost'))
  t.equal(found(gray), 'fallback-unavailable 10.0.0.1', 'the last snapshot stays')
  source.snapshot('sc-B', [at('10.0.0.4')])
  t.equal(found(gray), 'fallback-missing 10.0.0.4', 'the lane has ended')
  source.snapshot('sc-B', [])
  t.equal(found(gray), 'no-base -')
  source.missing('sc-B')
  t.equal(found(gray), 'not-ready -')
  source.snapshot('sc-B', [at('10.0.0.5')])
  t.equal(found(gray), 'fallback-missing 10.0.0.5')
  await resolver.close()
  t.equal(found(gray), 'fallback-missing 10.0.0.5', 'a closed resolver answers as before')
})

t.test('a handle follows its name from service to service', async t => {
  const { source, resolver } = resolverOf(t)
  source.lists('sc-a', 'sc-b', 'sc-c')
  const handle = handleOf(resolver)
  t.equal(handle.match(), 'sc-b')
  source.snapshot('sc-b', [endpoint({ host: '10.0.0.1' })])
  t.equal(handle.pick('sc-b', undefined).endpoint?.host, '10.0.0.1')
  source.lists('sc-a', 'sc-c')
  t.equal(handle.pick('sc-b', undefined).outcome, 'not-ready', 'a request that goes on finds no service of that name')
  source.lists('sc-a', 'sc-b', 'sc-c')
  t.equal(resolver.match('sc-b', undefined, false), 'sc-b')
  source.snapshot('sc-b', [endpoint({ host: '10.0.0.3' })])
  t.equal(handle.pick('sc-b', undefined).endpoint?.host, '10.0.0.3', 'the name has come back')
  source.lists('sc-a', 'sc-c')
  source.lists('sc-a', 'SC-B', 'sc-c')
  t.equal(handle.match(), 'SC-B', 'listed by another spelling')
  source.snapshot('SC-B', [endpoint({ host: '10.0.0.2' })])
  t.equal(handle.pick('SC-B', undefined).endpoint?.host, '10.0.0.2')
  t.equal(handle.pick('sc-c', undefined).service, 'sc-c', 'a request that knows its service by another name keeps it')
})

t.test('a handle of a host that was declared in full forgets it with the declaration', async t => {
  const { source, resolver } = resolverOf(t, { services: ['sc-a', 'api.example'] })
  source.lists('sc-a', 'api.example', 'sc-c')
  const host: HandledHost = { ...HOST, hostname: 'api.example' }
  const handle = handleOf(resolver, host)
  source.snapshot('api.example', [endpoint()])
  t.equal(handle.match(), 'api.example')
  resolver.update({ services: ['sc-a'] })
  t.equal(handle.match(), undefined, 'a registry must not take over the host')
})

t.test('a handle of a port asks each table for it', async t => {
  const { source, resolver } = resolverOf(t, { services: ['sc-b', 'sc-c', 'sc-d'] })
  const handle = handleOf(resolver, { ...HOST, port: 8080 })
  const standard = handleOf(resolver, { ...HOST, port: 443, secure: true })
  t.equal(handle.match(), 'sc-b', 'the ports are not known yet')
  source.snapshot('sc-b', [endpoint({ port: 8080 })])
  t.equal(handle.match(), 'sc-b')
  source.snapshot('sc-b', [endpoint({ port: 9090 })])
  t.equal(handle.match(), undefined)
  t.equal(standard.match(), 'sc-b')
  source.snapshot('sc-b', [endpoint({ port: 9090 }), endpoint({ port: 8080 })])
  t.equal(handle.match(), 'sc-b')
})

t.test('a handle reports decisions to whoever subscribes after it was made', async t => {
  const { source, resolver } = resolverOf(t, { services: ['sc-b'] })
  source.snapshot('sc-b', [endpoint()])
  const handle = handleOf(resolver)
  handle.pick(handle.match()!, undefined)
  const events: DecisionEvent[] = []
  const note = (event: unknown) => events.push(event as DecisionEvent)
  channels.decision.subscribe(note)
  t.teardown(() => channels.decision.unsubscribe(note))
  handle.pick(handle.match()!, undefined)
  t.match(events, [{ service: 'sc-b', outcome: 'base' }])
})

t.test('a resolver that somebody has changed, or stands in front of, is asked itself', async t => {
  const { source, resolver } = resolverOf(t, { services: ['sc-b'] })
  source.snapshot('sc-b', [endpoint({ host: '10.0.0.1' })])
  const own: Choice = Object.freeze({ service: 'mine', endpoint: undefined, outcome: 'no-base', served: undefined })
  const fronts: Record<string, LaneResolver> = {
    proxy: new Proxy(resolver, {
      get: (target, key) => (key === 'pick' ? () => own : Reflect.get(target, key, target)),
    }),
    'object in front': Object.assign(Object.create(resolver), { pick: () => own, match: () => 'mine' }),
    'plain object': { match: () => 'mine', pick: () => own } as unknown as LaneResolver,
  }
  for (const [name, front] of Object.entries(fronts)) t.equal(handleOf(front).pick('mine', undefined), own, name)
  t.equal(handleOf(resolver).pick('sc-b', undefined).endpoint?.host, '10.0.0.1')
  resolver.pick = () => own
  t.equal(handleOf(resolver).pick('mine', undefined), own, 'its own method was replaced')
})
