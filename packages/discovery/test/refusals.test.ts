import { parseLane } from '@laneway/core'
import t from 'tap'
import { createLaneResolver, type EndpointInput, type LaneResolverOptions } from '../src/index.js'
import { endpoint, oneService } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

const base = () => endpoint()
const gray = (more: Partial<EndpointInput> = {}) => endpoint({ tags: ['gray'], ...more })
const blue = () => endpoint({ tags: ['blue'] })

const REASONS: [
  name: string,
  endpoints: EndpointInput[],
  lane: string | undefined,
  options: Partial<LaneResolverOptions>,
  reason: string,
][] = [
  ['base', [base(), base(), gray()], undefined, {}, 'the request has no lane; 2 of 2 instances are usable'],
  [
    'the lane',
    [base(), gray(), gray({ health: 'unhealthy' })],
    'gray',
    {},
    'lane gray serves; 1 of 2 instances are usable',
  ],
  [
    'no such lane',
    [base(), blue(), blue()],
    'gray',
    {},
    'there is no instance of lane gray (its lanes are blue (2)), so base serves',
  ],
  ['no lanes at all', [base()], 'gray', {}, 'there is no instance of lane gray (it has no lanes), so base serves'],
  [
    'an unusable lane',
    [base(), gray({ health: 'unhealthy' }), gray({ weight: 0 }), gray({ enabled: false })],
    'gray',
    {},
    'none of 3 gray instances is usable: 1 disabled, 1 of weight 0, 1 unhealthy, so base serves',
  ],
  [
    'a policy that says fail',
    [base(), blue()],
    'gray',
    { whenLaneMissing: 'fail' },
    'there is no instance of lane gray (its lanes are blue (1)), and whenLaneMissing is "fail"',
  ],
  [
    'a policy that says fail when the lane is down',
    [base(), gray({ health: 'unhealthy' })],
    'gray',
    { whenLaneUnavailable: 'fail' },
    'none of 1 gray instance is usable: 1 unhealthy, and whenLaneUnavailable is "fail"',
  ],
  [
    'unhealthy base',
    [endpoint({ health: 'unhealthy' })],
    undefined,
    {},
    'none of 1 base instance is usable: 1 unhealthy; an instance that is enabled serves all the same',
  ],
  ['a base of weight 0', [endpoint({ weight: 0 })], undefined, {}, 'none of 1 base instance is usable: 1 of weight 0'],
  [
    'lanes only',
    [gray(), gray(), blue()],
    undefined,
    {},
    'the service has no base instance (its lanes are gray (2), blue (1))',
  ],
  ['nothing', [], 'gray', {}, 'the service has no instances'],
]

for (const [name, endpoints, lane, options, reason] of REASONS) {
  t.test(`explain says why: ${name}`, async t => {
    const { resolver } = oneService(t, endpoints, options)
    t.equal(resolver.explain('sc-B', lane).reason, reason)
  })
}

t.test('explain says that a text is no lane', async t => {
  const { resolver } = oneService(t, [base()])
  t.equal(
    resolver.explain('sc-B', 'gray!').reason,
    '"gray!" is not a lane, so the request counts as one without a lane: the request has no lane; 1 of 1 instances are usable',
  )
  t.match(
    resolver.explain('sc-X', 'gray').reason,
    /^no instances are known: the service is neither declared nor called yet/,
  )
})

t.test('a refusal has its own code, says what was seen and what to do', async t => {
  const source = { ...createScriptedSource({ name: 'nacos' }), where: '127.0.0.1:8848, namespace public' }
  const resolver = createLaneResolver({
    sources: [source],
    services: ['sc-B', 'sc-C', 'sc-D', 'sc-E', 'sc-F'],
    env: {},
  })
  t.teardown(() => resolver.close())
  source.lists('sc-BB', 'sc-C', 'sc-F', 'orders', 'stock')
  source.snapshot('sc-F', [])
  source.snapshot('sc-B', [])
  source.snapshot('sc-C', [gray()])
  source.snapshot('sc-D', [endpoint({ weight: 0 })])
  const cause = new Error('before')
  for (const [service, lane, code, message] of [
    [
      'sc-B',
      'gray',
      'LANEWAY_NO_INSTANCES',
      'nacos 127.0.0.1:8848, namespace public has no instance of sc-B; did you mean sc-BB?',
    ],
    [
      'sc-C',
      undefined,
      'LANEWAY_NO_BASE',
      "sc-C cannot take a request without a lane: the service has no base instance (its lanes are gray (1)); start a base instance, or set baseEmpty: 'any' (LANEWAY_BASE_EMPTY=any), which lets an instance of any lane serve",
    ],
    [
      'sc-D',
      undefined,
      'LANEWAY_NO_BASE',
      'sc-D cannot take a request without a lane: none of 1 base instance is usable: 1 of weight 0; enable an instance in the registry, with a weight above 0',
    ],
    [
      'sc-F',
      undefined,
      'LANEWAY_NO_INSTANCES',
      'nacos 127.0.0.1:8848, namespace public has no instance of sc-F; is it started, and registered there?',
    ],
    [
      'sc-C',
      'blue',
      'LANEWAY_NO_BASE',
      'sc-C cannot take a request in lane blue: the service has no base instance (its lanes are gray (1)); start an instance of blue or of base',
    ],
    [
      'sc-E',
      undefined,
      'LANEWAY_NOT_READY',
      'no instances of sc-E: no source has answered (nacos 127.0.0.1:8848, namespace public); did you mean sc-C?',
    ],
  ] as const) {
    const choice = resolver.pick(service, parseLane(lane))
    t.equal(choice.endpoint, undefined)
    const error = resolver.refusal(choice, parseLane(lane), cause)
    t.equal(error.code, code)
    t.equal(error.message, `${code}: ${message}`)
    t.equal(error.cause, cause)
  }
})

t.test('the state of a service shows its lanes as JSON, too', async t => {
  const { resolver } = oneService(t, [base(), gray(), gray({ weight: 0 }), blue()])
  t.match(JSON.parse(JSON.stringify(resolver.state('sc-B'))), {
    base: { endpoints: 1, usable: 1 },
    lanes: { gray: { endpoints: 2, usable: 1 }, blue: { endpoints: 1, usable: 1 } },
  })
})
