import { inspect } from 'node:util'
import { GATE_ERRORS, GateError, runGate } from '@laneway/gate'
import fc from 'fast-check'
import t from 'tap'
import { parseArguments } from '../src/command/arguments.js'
import { EXIT_CODES, runCommand } from '../src/command/command.js'
import { growth } from '../src/measure/counter.js'
import { parseHops } from '../src/measure/hop.js'
import type { TrafficMeasurement } from '../src/measure/measurement.js'
import { connectPrometheus } from '../src/measure/prometheus.js'
import { quantileOf } from '../src/measure/quantile.js'
import { resolveGateOptions } from '../src/options.js'
import { judge } from '../src/verdict.js'

t.test('how much a counter grew', async t => {
  const cases: [samples: [number, number][], grown: number | undefined][] = [
    [[], 0],
    [[[5, 10]], 0],
    [[[15, 10]], 10],
    [
      [
        [5, 10],
        [15, 14],
      ],
      4,
    ],
    [
      [
        [5, 10],
        [10, 12],
        [15, 14],
      ],
      2,
    ],
    [
      [
        [15, 3],
        [16, 3],
      ],
      3,
    ],
    [
      [
        [5, 10],
        [15, 2],
        [16, 5],
      ],
      5,
    ],
    [
      [
        [5, 10],
        [15, 12],
        [16, 1],
      ],
      3,
    ],
    [
      [
        [5, 10],
        [15, Number.NaN],
      ],
      undefined,
    ],
    [
      [
        [5, Number.NaN],
        [15, 1],
      ],
      undefined,
    ],
    [[[15, Number.POSITIVE_INFINITY]], undefined],
    [[[15, -1]], undefined],
  ]
  for (const [samples, grown] of cases) t.equal(growth(samples, 10), grown, JSON.stringify(samples))
})

const bucket = (le: string, value: number) => ({ labels: { le }, samples: [[0, value]] as [number, number][] })

t.test('a quantile of buckets', async t => {
  const rows = [bucket('0.1', 50), bucket('0.2', 90), bucket('0.4', 100), bucket('+Inf', 100)]
  t.equal(quantileOf(rows, 0.5), 0.1)
  t.equal(quantileOf(rows, 0.25), 0.05)
  t.equal(quantileOf(rows.reverse(), 0.95)?.toFixed(3), '0.300')
  t.equal(quantileOf([bucket('0.1', 50), bucket('+Inf', 100)], 0.95), Number.POSITIVE_INFINITY)
  for (const [name, nothing] of Object.entries({
    empty: [],
    'no requests': [bucket('0.1', 0), bucket('+Inf', 0)],
    'no +Inf': [bucket('0.1', 50)],
    NaN: [bucket('0.1', Number.NaN), bucket('+Inf', 100)],
    'no bound': [bucket('x', 1), bucket('+Inf', 100)],
    negative: [bucket('0.1', -1), bucket('+Inf', 100)],
  })) {
    t.equal(quantileOf(nothing, 0.95), undefined, name)
  }
})

const thresholds = resolveGateOptions({ hops: 'a=r', lane: 'gray', prometheus: 'http://p' })
const measured = (lane: Partial<TrafficMeasurement>, base: Partial<TrafficMeasurement> = {}, more = {}) => ({
  service: 'a',
  lane: { requests: 100, errors: 0, latency: 0.1, ...lane },
  base: { requests: 100, errors: 0, latency: 0.1, ...base },
  ageSeconds: 0,
  targetsDown: 0,
  doubt: undefined,
  ...more,
})

t.test('both sides of every bound', async t => {
  const cases: [verdict: string, ...measurement: Parameters<typeof measured>][] = [
    ['good', {}],
    ['wait', { requests: 99 }],
    ['wait', { requests: 99.99 }],
    ['wait', {}, { requests: 99 }],
    ['good', { errors: 1 }],
    ['bad', { errors: 2 }],
    ['good', { errors: 2 }, { errors: 1 }],
    ['good', {}, { errors: 50 }],
    ['good', { latency: 0.15 }],
    ['bad', { latency: 0.1501 }],
    ['good', { latency: 0.05 }, { latency: 0.001 }],
    ['bad', { latency: 0.0511 }, { latency: 0.001 }],
    ['bad', { latency: Number.POSITIVE_INFINITY }],
    ['good', {}, { latency: Number.POSITIVE_INFINITY }],
    ['wait', { latency: Number.POSITIVE_INFINITY }, { latency: Number.POSITIVE_INFINITY }],
    ['good', {}, {}, { ageSeconds: 60 }],
    ['wait', {}, {}, { ageSeconds: 60.1 }],
    ['wait', {}, {}, { ageSeconds: undefined }],
    ['wait', {}, {}, { targetsDown: 1 }],
    ['wait', { errors: 100 }, {}, { doubt: 'x' }],
    ['wait', { errors: 101 }],
  ]
  for (const [verdict, ...one] of cases)
    t.equal(judge([measured(...one)], thresholds).verdict, verdict, JSON.stringify(one))
  t.equal(judge([], thresholds).verdict, 'wait', 'nothing at all')
  t.equal(judge([measured({}), measured({ requests: 1 }), measured({ errors: 100 })], thresholds).verdict, 'bad')
  t.equal(judge([measured({}), measured({ requests: 1 }), measured({})], thresholds).verdict, 'wait')
})

t.test('whatever is not a plain number never makes a good lane', async t => {
  const odd = fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, -1, undefined)
  const field = fc.constantFrom('requests', 'errors', 'latency')
  fc.assert(
    fc.property(fc.constantFrom('lane', 'base'), field, odd, (side, name, value) => {
      const one = measured({}) as any
      one[side][name] = value
      // A negative latency is no number of Prometheus' making and no danger: it only makes base look fast.
      if (name === 'latency' && side === 'lane' && (value === -1 || value === Number.NEGATIVE_INFINITY)) return
      t.not(judge([one], thresholds).verdict, 'good', `${side} ${name} ${value}`)
    }),
  )
})

t.test('the way of the lane', async t => {
  t.strictSame(parseHops('a=r1, b ,c=r2'), [
    { service: 'a', rollout: 'r1' },
    { service: 'b', rollout: undefined },
    { service: 'c', rollout: 'r2' },
  ])
  const wrong = ['', 'a', 'a=r,', 'a=r,a', 'a=r,b=r', 'a=', 'a=R', 'a=r=x', '=r']
  for (const text of wrong) t.throws(() => parseHops(text), { code: 'LANEWAY_GATE_INVALID_OPTION' }, text)
})

t.test('options are checked', async t => {
  const given = { hops: 'a=r', lane: 'gray', prometheus: 'http://p' }
  const cases: object[] = [
    { lane: '' },
    { lane: 'a b' },
    { prometheus: 'p:9090' },
    { onFail: 'delete' },
    { minRequests: 0 },
    { minRequests: Number.NaN },
    { maxErrorExcess: 1.1 },
    { maxErrorExcess: -0.1 },
    { latencyQuantile: 1 },
    { maxLatencyRatio: 0.9 },
    { windowSeconds: 0 },
    { rounds: 0 },
    { metric: 'a{}' },
    { laneLabel: 'a-b' },
    { hops: [] },
    { hops: [{ service: 'a', rollout: undefined }] },
    { minRequest: 1 },
  ]
  for (const wrong of cases) {
    await t.rejects(
      runGate({ ...given, ...wrong } as any),
      { code: 'LANEWAY_GATE_INVALID_OPTION' },
      JSON.stringify(wrong),
    )
  }
  // @ts-expect-error an unknown option does not compile either
  await t.rejects(runGate({ ...given, minRequest: 1 }))
  await t.rejects(runGate({ ...given, kubeconfig: '/no/such/file' }), { code: 'LANEWAY_GATE_CLUSTER' })
})

t.test('the command line is the options in kebab case', async t => {
  t.strictSame(
    parseArguments([
      '--hops',
      'a=r',
      '--lane',
      'gray',
      '--prometheus',
      'http://p',
      '--min-requests',
      '5',
      '--on-fail',
      'rollback',
      '--dry-run',
      '--gitops-manager',
      'x',
      '--gitops-manager',
      'y',
    ]),
    {
      hops: 'a=r',
      lane: 'gray',
      prometheus: 'http://p',
      minRequests: 5,
      onFail: 'rollback',
      dryRun: true,
      gitopsManagers: ['x', 'y'],
    },
  )
  t.equal(parseArguments(['--help']), undefined)
  const wrong = [[], ['--hops', 'a=r', '--lane', 'gray'], ['--nonsense'], ['positional']]
  for (const args of wrong)
    t.throws(() => parseArguments(args), { code: 'LANEWAY_GATE_INVALID_OPTION' }, args.join(' '))
})

t.test('exit codes tell the outcomes apart', async t => {
  t.strictSame(EXIT_CODES, { approved: 0, held: 2, 'rolled-back': 3, timeout: 4 })
  const lines: string[] = []
  const world = {
    write: (line: string) => lines.push(line),
    writeError: (line: string) => lines.push(line),
    env: {},
    signal: new AbortController().signal,
  }
  t.equal(await runCommand(['--help'], world), 0)
  t.match(lines.pop(), /Exit codes: 0 approved/)
  const given = ['--hops', 'a=r', '--lane', 'gray', '--prometheus', 'http://p']
  t.equal(await runCommand([...given, '--min-requests', ''], world), 1)
  t.match(lines.pop(), /minRequests must be a number from 1/)
  t.equal(await runCommand([...given, '--kubeconfig', '/no/such'], world), 1)
  t.match(lines.pop(), /LANEWAY_GATE_CLUSTER/)
})

t.test('errors carry their code', async t => {
  for (const code of Object.keys(GATE_ERRORS) as (keyof typeof GATE_ERRORS)[]) {
    t.match(new GateError(code, 'why'), { name: 'GateError', code, message: `${code}: why` })
  }
})

t.test('user info of the Prometheus URL is in no message', async t => {
  const urls = [
    'ftp://dora:secret@p',
    'dora:secret@p:9090',
    'https://dora:sec@ret@:1',
    'http://dora:secret%zz@p',
    'http://dora:secret@p:99999',
  ]
  for (const prometheus of urls) {
    try {
      resolveGateOptions({ hops: 'a=r', lane: 'gray', prometheus })
      t.fail(prometheus)
    } catch (error) {
      t.match(error, { code: 'LANEWAY_GATE_INVALID_OPTION', message: /prometheus must be/ })
      t.notMatch(inspect(error), /dora|sec/, prometheus)
    }
  }
  const { url } = { url: 'http://dora:secret@127.0.0.1:1' }
  const failed = await connectPrometheus(url, undefined)
    .now()
    .catch((error: unknown) => error)
  t.match(failed, { code: 'LANEWAY_GATE_METRICS', message: /Prometheus does not answer/ })
  t.notMatch(inspect(failed, { depth: 10 }), /secret/)
})

t.test('a token that no header can carry is refused without being shown', async t => {
  for (const token of ['top\nsecret', 'top secret', 'töp–secret', '\0secret', ' ']) {
    try {
      connectPrometheus('http://127.0.0.1:1', token)
      t.fail(JSON.stringify(token))
    } catch (error) {
      t.match(error, { code: 'LANEWAY_GATE_INVALID_OPTION', message: /bearer token/ })
      t.notMatch(inspect(error), /secret/)
    }
  }
  // A mounted file ends with a line break.
  t.ok(connectPrometheus('http://127.0.0.1:1', 'topsecret\n'))
})
