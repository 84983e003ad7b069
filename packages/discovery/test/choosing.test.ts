import { channels, parseLane } from '@laneway/core'
import t from 'tap'
import { createLaneResolver } from '../src/index.js'
import { addressOf, endpoint, oneService } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

const base = () => endpoint()
const gray = (more = {}) => endpoint({ tags: ['gray'], ...more })
const blue = (more = {}) => endpoint({ tags: ['blue'], ...more })
const unhealthy = { health: 'unhealthy' } as const

t.test('the table of choosing', async t => {
  t.test('no lane: base, whatever else there is', async t => {
    const { outcome } = oneService(t, [gray(), base(), blue()])
    t.equal(outcome(), 'base at 1')
  })

  t.test('the tag base: base', async t => {
    const { outcome } = oneService(t, [gray(), base(), blue()])
    t.equal(outcome('base'), 'base at 1')
  })

  t.test('gray, and usable gray: gray', async t => {
    const { outcome } = oneService(t, [base(), gray(), blue()])
    t.equal(outcome('gray'), 'lane of gray at 1')
  })

  t.test('gray, and no gray at all: base', async t => {
    const { outcome } = oneService(t, [base(), blue()])
    t.equal(outcome('gray'), 'fallback-missing at 0')
  })

  t.test('gray, no gray at all, and whenLaneMissing fail: nothing', async t => {
    const { outcome } = oneService(t, [base(), blue()], { whenLaneMissing: 'fail' })
    t.equal(outcome('gray'), 'lane-required')
  })

  t.test('gray, gray there but none usable: base', async t => {
    const { outcome } = oneService(t, [base(), gray(unhealthy), gray({ enabled: false }), gray({ weight: 0 })])
    t.equal(outcome('gray'), 'fallback-unavailable at 0')
  })

  t.test('gray, none usable, and whenLaneUnavailable fail: nothing', async t => {
    const { outcome } = oneService(t, [base(), gray(unhealthy)], { whenLaneUnavailable: 'fail' })
    t.equal(outcome('gray'), 'lane-required')
  })

  t.test('gray, none usable, and whenLaneUnavailable panic: any enabled gray', async t => {
    const endpoints = [base(), gray({ enabled: false }), gray(unhealthy), gray({ weight: 0 })]
    const { outcome } = oneService(t, endpoints, { whenLaneUnavailable: 'panic' })
    for (let i = 0; i < 20; i++) t.equal(outcome('gray'), 'panic of gray at 2')
  })

  t.test('panic with no enabled gray left goes to base', async t => {
    const endpoints = [base(), gray({ enabled: false }), gray({ weight: 0 })]
    const { outcome } = oneService(t, endpoints, { whenLaneUnavailable: 'panic' })
    t.equal(outcome('gray'), 'fallback-unavailable at 0')
  })

  t.test('a list whose second tag is usable: that one, and served says which', async t => {
    const { outcome } = oneService(t, [base(), gray(), blue()])
    t.equal(outcome('gray-2,gray'), 'lane of gray at 1')
    t.equal(outcome('gray,blue'), 'lane of gray at 1')
    t.equal(outcome('blue,gray'), 'lane of blue at 2')
  })

  t.test('no lane, and only lane endpoints: nothing', async t => {
    const { outcome } = oneService(t, [gray(), blue()])
    t.equal(outcome(), 'no-base')
    t.equal(outcome('base'), 'no-base')
    t.equal(outcome('green'), 'no-base')
  })

  t.test('base endpoints, none usable but enabled: base anyway', async t => {
    const endpoints = [endpoint(unhealthy), endpoint({ enabled: false }), endpoint({ weight: 0 }), gray(unhealthy)]
    const { outcome } = oneService(t, endpoints)
    for (let i = 0; i < 20; i++) t.equal(outcome(), 'panic at 0')
    t.equal(outcome('gray'), 'panic at 0')
    t.equal(outcome('blue'), 'panic at 0')
  })

  t.test('base endpoints of which none is enabled: nothing', async t => {
    const { outcome } = oneService(t, [endpoint({ enabled: false }), endpoint({ weight: 0 }), gray()])
    t.equal(outcome(), 'no-base')
    t.equal(outcome('blue'), 'no-base')
  })

  t.test('a declared service without snapshot: not ready', async t => {
    const resolver = createLaneResolver({ sources: [createScriptedSource()], services: ['sc-B'], env: {} })
    t.teardown(() => resolver.close())
    t.equal(resolver.pick('sc-B', undefined).outcome, 'not-ready')
    t.equal(resolver.pick('sc-B', parseLane('gray')).endpoint, undefined)
    t.equal(resolver.pick('sc-X', undefined).outcome, 'not-ready', 'and a service nobody declared')
  })
})

t.test('health unknown is usable', async t => {
  const { outcome } = oneService(t, [endpoint(unhealthy), endpoint({ health: 'unknown' }), gray({ health: 'unknown' })])
  t.equal(outcome(), 'base at 1')
  t.equal(outcome('gray'), 'lane of gray at 2')
})

t.test('if no tag of a list is usable, the policy of the first tag decides', async t => {
  const endpoints = [base(), gray(unhealthy), endpoint({ tags: ['red'] })]
  const policies = [
    { lane: 'gray', whenLaneUnavailable: 'fail' },
    { lane: 'blue', whenLaneMissing: 'fail' },
  ] as const
  const { outcome } = oneService(t, endpoints, { policies })
  t.equal(outcome('gray,blue'), 'lane-required')
  t.equal(outcome('blue,gray'), 'fallback-unavailable at 0', 'blue is missing, gray has a member: unavailable')
  t.equal(outcome('blue,green'), 'lane-required', 'missing, as no tag has members')
  t.equal(outcome('green,gray'), 'fallback-unavailable at 0')
})

t.test('base ends a list', async t => {
  const { outcome } = oneService(t, [base(), gray()])
  t.equal(outcome('blue,base,gray'), 'fallback-missing at 0')
  t.equal(outcome('base,gray'), 'base at 0')
  const strict = oneService(t, [base(), gray()], { whenLaneMissing: 'fail' })
  t.equal(strict.outcome('blue,base'), 'lane-required', 'the operator has the last word')
})

t.test('an endpoint of two lanes serves both, and never base', async t => {
  const { outcome } = oneService(t, [base(), endpoint({ tags: ['gray', 'blue'] })])
  t.equal(outcome('gray'), 'lane of gray at 1')
  t.equal(outcome('blue'), 'lane of blue at 1')
  for (let i = 0; i < 20; i++) t.equal(outcome(), 'base at 0')
})

t.test('lanes are compared by header, never by identity', async t => {
  const { resolver } = oneService(t, [base(), gray()])
  const foreign = { header: 'gray', tags: ['gray'] }
  t.equal(resolver.pick('sc-B', foreign).outcome, 'lane')
})

t.test('tags that are names of object members are lanes as any other', async t => {
  const { outcome } = oneService(t, [base(), endpoint({ tags: ['constructor'] })])
  t.equal(outcome('constructor'), 'lane of constructor at 1')
  t.equal(outcome('toString'), 'fallback-missing at 0')
})

t.test("baseEmpty 'any'", async t => {
  t.test('sends requests without lane to lane endpoints, says so once and counts every use', async t => {
    const warnings: string[] = []
    const options = { baseEmpty: 'any', warn: (message: string) => warnings.push(message) } as const
    const service = oneService(t, [gray(unhealthy), gray(), blue({ enabled: false })], options)
    t.equal(service.outcome(), 'panic of gray at 1')
    t.equal(service.outcome('base'), 'panic of gray at 1')
    t.equal(service.resolver.state('sc-B')?.baseEmptyUses, 2)
    service.update([gray()])
    t.equal(service.outcome(), 'panic of gray at 0')
    t.equal(service.resolver.state('sc-B')?.baseEmptyUses, 3, 'the count goes on with the next table')
    t.equal(warnings.length, 1)
    t.match(warnings[0], /sc-B has lane endpoints only, and baseEmpty is "any"/)
  })

  t.test('does nothing while base has endpoints, usable or not', async t => {
    const { outcome, resolver } = oneService(t, [endpoint({ enabled: false }), gray()], { baseEmpty: 'any' })
    t.equal(outcome(), 'no-base')
    t.equal(resolver.state('sc-B')?.baseEmptyUses, 0)
  })

  t.test('never sends a lane to another lane', async t => {
    const { outcome } = oneService(t, [gray()], { baseEmpty: 'any', warn: () => {} })
    t.equal(outcome('blue'), 'no-base')
  })
})

t.test('policies', async t => {
  t.test('the most specific wins, setting by setting', async t => {
    const source = createScriptedSource({
      services: { a: [base(), gray(unhealthy)], b: [base(), gray(unhealthy)] },
      canList: false,
    })
    const resolver = createLaneResolver({
      sources: [source],
      services: ['a', 'b'],
      whenLaneMissing: 'fail',
      policies: [
        { whenLaneMissing: 'base' },
        { service: 'A', whenLaneMissing: 'fail' },
        { lane: 'green', whenLaneMissing: 'base' },
        { service: 'a', lane: 'green', whenLaneMissing: 'base' },
        { service: 'a', lane: 'gray', whenLaneUnavailable: 'panic' },
      ],
      env: {},
    })
    t.teardown(() => resolver.close())
    const outcome = (service: string, lane: string) => resolver.pick(service, parseLane(lane)).outcome
    t.equal(outcome('b', 'blue'), 'fallback-missing', 'a policy without service and lane beats the option')
    t.equal(outcome('a', 'blue'), 'lane-required', 'the service beats the general policy')
    t.equal(outcome('a', 'green'), 'fallback-missing', 'service and lane beat either alone')
    t.equal(outcome('b', 'green'), 'fallback-missing')
    t.equal(outcome('a', 'gray'), 'panic', 'what a specific policy leaves open comes from the next')
    t.equal(outcome('b', 'gray'), 'fallback-unavailable')
  })

  const refused = [
    [
      'the same place twice',
      [
        { lane: 'a', whenLaneMissing: 'fail' },
        { lane: 'a', whenLaneMissing: 'base' },
      ],
    ],
    [
      'a service against a lane',
      [
        { service: 's', whenLaneMissing: 'fail' },
        { lane: 'a', whenLaneMissing: 'base' },
      ],
    ],
    [
      'one service in two spellings',
      [
        { service: 's', whenLaneMissing: 'fail' },
        { service: 'S.', whenLaneMissing: 'base' },
      ],
    ],
  ] as const
  for (const [name, policies] of refused) {
    t.test(`ties are refused: ${name}`, async t => {
      t.throws(() => oneService(t, [], { policies }), {
        code: 'LANEWAY_INVALID_OPTION',
        message: /policies\[0\] and policies\[1\]/,
      })
    })
  }

  t.test('policies that do not tie are accepted', async t => {
    oneService(t, [], {
      policies: [
        { service: 's', whenLaneMissing: 'fail' },
        { lane: 'a', whenLaneUnavailable: 'panic' },
        { lane: 'b', whenLaneMissing: 'fail' },
        { service: 's', lane: 'b', whenLaneMissing: 'base' },
        { service: 'r', whenLaneUnavailable: 'fail' },
        { service: 'r', lane: 'a', whenLaneUnavailable: 'fail' },
      ],
    })
  })

  const wrong = [
    ['sets nothing', { lane: 'a' }, /sets nothing/],
    ['an unknown key', { lanes: 'a', whenLaneMissing: 'fail' }, /did you mean "lane"/],
    ['a list of lanes', { lane: 'a,b', whenLaneMissing: 'fail' }, /one lane tag/],
    ['panic for a missing lane', { lane: 'a', whenLaneMissing: 'panic' }, /whenLaneMissing/],
  ] as const
  for (const [name, policy, message] of wrong) {
    t.test(`a wrong policy is refused: ${name}`, async t => {
      t.throws(() => oneService(t, [], { policies: [policy as never] }), { code: 'LANEWAY_INVALID_OPTION', message })
    })
  }
})

t.test('retries, with exactly one gray endpoint', async t => {
  const endpoints = [base(), gray(), blue()]
  const [baseAddress, grayAddress] = endpoints.map(addressOf) as [string, string]

  t.test('after an HTTP status a retry stays in the lane and may use the same endpoint', async t => {
    const { outcome } = oneService(t, endpoints)
    t.equal(outcome('gray', []), 'lane of gray at 1', 'nothing failed, so nothing is in tried')
  })

  t.test('a connect-level failure leaves the lane, by policy', async t => {
    t.equal(oneService(t, endpoints).outcome('gray', [grayAddress]), 'fallback-unavailable at 0')
    const fail = oneService(t, endpoints, { whenLaneUnavailable: 'fail', whenLaneMissing: 'base' })
    t.equal(fail.outcome('gray', [grayAddress]), 'lane-required')
    const panic = oneService(t, endpoints, { whenLaneUnavailable: 'panic' })
    t.equal(panic.outcome('gray', [grayAddress]), 'panic of gray at 1', 'the lane has only this one')
  })

  t.test('a connect-level failure never leads from base into a lane', async t => {
    for (const options of [{}, { baseEmpty: 'any' }, { whenLaneUnavailable: 'panic' }] as const) {
      const { outcome } = oneService(t, endpoints, options)
      t.equal(outcome(undefined, [baseAddress]), 'panic at 0')
      t.equal(outcome('gray', [grayAddress, baseAddress]).startsWith('panic of blue'), false)
    }
  })

  t.test('after base failed too, base is tried anyway', async t => {
    t.equal(oneService(t, endpoints).outcome('gray', [grayAddress, baseAddress]), 'panic at 0')
  })

  t.test('a list goes on with its next tag', async t => {
    t.equal(oneService(t, endpoints).outcome('gray,blue', [grayAddress]), 'lane of blue at 2')
  })

  t.test('what failed elsewhere changes nothing', async t => {
    t.equal(oneService(t, endpoints).outcome('gray', ['10.9.9.9:1']), 'lane of gray at 1')
  })
})

t.test('a retry stays in the lane while it has an endpoint that was not tried', async t => {
  const endpoints = [base(), gray(), gray(), gray()]
  for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
    const { outcome } = oneService(t, endpoints, { balancer })
    for (let i = 0; i < 50; i++) {
      t.equal(outcome('gray', [addressOf(endpoints[1]!), addressOf(endpoints[3]!)]), 'lane of gray at 2')
    }
  }
})

t.test('a panic prefers what was not tried', async t => {
  const endpoints = [endpoint(unhealthy), endpoint(unhealthy), endpoint(unhealthy)]
  const { outcome } = oneService(t, endpoints)
  for (let i = 0; i < 50; i++) t.equal(outcome(undefined, [endpoints[0]!, endpoints[2]!].map(addressOf)), 'panic at 1')
})

t.test('choices are frozen and made before the pick', async t => {
  const { pick } = oneService(t, [base(), gray()])
  const choice = pick('gray')
  t.ok(Object.isFrozen(choice))
  t.ok(Object.isFrozen(choice.endpoint))
  t.equal(pick('gray'), choice, 'the same object again')
  t.strictSame(Object.keys(choice), ['service', 'endpoint', 'outcome', 'served'])
  t.equal(pick('blue').outcome, 'fallback-missing')
  t.equal(pick('blue'), pick('green'))
})

t.test('a decision is published on laneway:decision while it has a subscriber', async t => {
  const { pick } = oneService(t, [base(), gray()])
  const events: unknown[] = []
  const listener = (event: unknown) => events.push(event)
  pick('gray')
  channels.decision.subscribe(listener)
  const choice = pick('gray')
  pick(undefined)
  channels.decision.unsubscribe(listener)
  pick('gray')
  t.equal(events.length, 2)
  t.match(events[0], {
    service: 'sc-B',
    lane: { header: 'gray' },
    outcome: 'lane',
    served: 'gray',
    address: choice.endpoint?.address,
  })
  t.match(events[1], { lane: undefined, outcome: 'base', served: undefined })
})
