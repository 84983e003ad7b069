import t from 'tap'
import { CONFIRM, DEPLOYMENTS, image, ROLLOUTS, SERVICES, stepState, World } from './world.js'

async function bothPaused(t: any): Promise<World> {
  const world = await World.start(t)
  world.paused('rollout-a')
  world.paused('rollout-c')
  world.prometheus.say(SERVICES, { requests: 400 }, { requests: 4_000 })
  return world
}

const patches = (world: World) => world.api.requests.filter(one => one.method === 'PATCH').length

t.test('a lane as good as base is approved, from the last hop to the entrance', async t => {
  const world = await bothPaused(t)
  const result = await world.gate()
  t.equal(result.outcome, 'approved', world.log.join('\n'))
  t.strictSame(world.done, ['approve rollout-c', 'finished rollout-c', 'approve rollout-a', 'finished rollout-a'])
  t.strictSame(world.events(), ['Normal LaneApproved rollout-c', 'Normal LaneApproved rollout-a'])
  t.match(world.log.join('\n'), /shop-c {2}good {2}lane 400 requests, errors 0\.00 %, \d+ ms \| base 4000 requests/)
  t.match(world.log.join('\n'), /good 3 of 3 times in a row/)
})

t.test('one hop that is worse holds the lane, however good the others are', async t => {
  const world = await bothPaused(t)
  world.prometheus.say(['shop-c'], { requests: 400, errors: 20 }, { requests: 4_000, errors: 4 })
  const result = await world.gate()
  t.equal(result.outcome, 'held')
  t.match(result.reason, /^shop-c: errors 5\.00 % against 0\.10 % of base, more than 1\.00 % above$/)
  t.equal(patches(world), 0)
  t.strictSame(world.events(), ['Warning LaneHeld rollout-a', 'Warning LaneHeld rollout-c'])
})

t.test('a slower lane is worse, too', async t => {
  const world = await bothPaused(t)
  world.prometheus.say(['shop-b'], { requests: 400, latency: 0.4 }, { requests: 4_000, latency: 0.04 })
  t.match(await world.gate(), {
    outcome: 'held',
    reason: /^shop-b: p95 \d+ ms against \d+ ms of base, more than 1\.5 times$/,
  })
})

t.test('errors that base has as well are no reason', async t => {
  const world = await bothPaused(t)
  world.prometheus.say(SERVICES, { requests: 400, errors: 40 }, { requests: 4_000, errors: 400 })
  t.equal((await world.gate()).outcome, 'approved')
})

t.test('only a complete, good measurement approves', async t => {
  const cases: [name: string, change: (world: World) => void, told: RegExp][] = [
    [
      'too little traffic',
      world => world.prometheus.say(['shop-b'], { requests: 93 }, { requests: 4_000 }),
      /7 requests of lane missing/,
    ],
    [
      'too little base traffic',
      world => world.prometheus.say(['shop-b'], { requests: 400 }, { requests: 99 }),
      /1 requests of base missing/,
    ],
    [
      'no lane traffic in one service',
      world => delete world.prometheus.traffic['shop-c gray@gray'],
      /100 requests of lane missing/,
    ],
    [
      'lane traffic that base serves',
      world => (world.prometheus.traffic['shop-a gray@gray'] = { requests: 0 }),
      /100 requests of lane missing/,
    ],
    [
      'no metrics at all',
      world => {
        for (const key of Object.keys(world.prometheus.traffic)) delete world.prometheus.traffic[key]
      },
      /no metrics/,
    ],
    ['stale metrics', world => (world.prometheus.ageSeconds = 61), /the newest sample is 6\d s old/],
    [
      'NaN',
      world =>
        (world.prometheus.answer = query =>
          query.includes('_count')
            ? { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values: [[1, 'NaN']] }] } }
            : undefined),
      /a counter is not a number/,
    ],
    [
      'an empty sample',
      world =>
        (world.prometheus.answer = query =>
          query.includes('_count')
            ? { status: 'success', data: { resultType: 'matrix', result: [{ metric: {}, values: [[1, '']] }] } }
            : undefined),
      /a counter is not a number/,
    ],
    [
      'NaN buckets',
      world =>
        (world.prometheus.answer = query =>
          query.includes('_bucket')
            ? {
                status: 'success',
                data: { resultType: 'vector', result: [{ metric: { le: '+Inf' }, value: [1, 'NaN'] }] },
              }
            : undefined),
      /no latency of lane/,
    ],
    [
      'no buckets',
      world =>
        (world.prometheus.answer = query =>
          query.includes('_bucket') ? { status: 'success', data: { resultType: 'vector', result: [] } } : undefined),
      /no latency of lane/,
    ],
    [
      'latency beyond the last bucket on both sides',
      world => world.prometheus.say(['shop-b'], { requests: 400, latency: 99 }, { requests: 4_000, latency: 99 }),
      /beyond the last bucket on both sides/,
    ],
    [
      'a target that is down',
      world =>
        (world.prometheus.answer = query =>
          query.startsWith('up{')
            ? {
                status: 'success',
                data: {
                  resultType: 'vector',
                  result: [
                    { metric: {}, value: [1, '0'] },
                    { metric: {}, value: [1, '1'] },
                  ],
                },
              }
            : undefined),
      /1 target\(s\) cannot be scraped/,
    ],
    [
      'an error',
      world => (world.prometheus.answer = () => ({ status: 'error', error: 'too busy' })),
      /Prometheus refuses time\(\): too busy/,
    ],
    [
      'warnings',
      world =>
        (world.prometheus.answer = query =>
          query.includes('_count')
            ? { status: 'success', warnings: ['a store is away'], data: { resultType: 'matrix', result: [] } }
            : undefined),
      /not sure of its answer: a store is away/,
    ],
    [
      'nonsense',
      world => (world.prometheus.answer = () => '<html>'),
      /Prometheus does not answer: what is there says HTTP 200, and no result: <html>/,
    ],
    [
      'an error page',
      world => {
        world.prometheus.head = { status: 502 }
        world.prometheus.answer = () => `<html>\n<h1>502\tBad\x1b[31m Gateway</h1>${'x'.repeat(5_000)}`
      },
      /HTTP 502, and no result: <html> <h1>502 Bad \[31m Gateway<\/h1>x{1,180}\.\.\.$/m,
    ],
    [
      'an empty page',
      world => {
        world.prometheus.head = { status: 503 }
        world.prometheus.answer = () => ' '
      },
      /HTTP 503, and no result: \(empty\)/,
    ],
    [
      'a redirect to a login page',
      world => {
        world.prometheus.head = { status: 302, headers: { location: 'https://u:secret@login.example/in?token=secret' } }
        world.prometheus.answer = () => '<a href="/in">Found</a>'
      },
      /HTTP 302 to \*\*\*@login\.example\/in, and no result: <a href="\/in">Found<\/a>/,
    ],
    [
      'a refusal with a status',
      world => {
        world.prometheus.head = { status: 422 }
        world.prometheus.answer = () => ({ status: 'error', error: 'query timed out' })
      },
      /Prometheus refuses time\(\): query timed out \(HTTP 422\)/,
    ],
    ['JSON of something else', world => (world.prometheus.answer = () => '[]'), /HTTP 200, and no result: \[\]/],
    [
      'no time',
      world =>
        (world.prometheus.answer = query =>
          query === 'time()' ? { status: 'success', data: { resultType: 'scalar', result: [1, 'NaN'] } } : undefined),
      /does not know the time/,
    ],
    [
      'another type of result',
      world =>
        (world.prometheus.answer = query =>
          query.includes('_count')
            ? { status: 'success', data: { resultType: 'string', result: [1, 'x'] } }
            : undefined),
      /answers .* with string/,
    ],
    [
      'a cluster that refuses',
      world => (world.api.faults.refuse = () => 403),
      /cannot get Rollout rollout-a in namespace shop/,
    ],
  ]
  for (const [name, change, told] of cases) {
    const world = await bothPaused(t)
    change(world)
    const { outcome } = await world.gate({ timeoutSeconds: 0.1 })
    t.equal(outcome, 'timeout', name)
    t.match(world.log.join('\n'), told, name)
    t.equal(patches(world), 0, `${name}: nothing is patched`)
  }
  const world = await bothPaused(t)
  t.equal((await world.gate({ timeoutSeconds: 0.1, prometheus: 'http://127.0.0.1:1' })).outcome, 'timeout', 'down')
  t.equal(patches(world), 0)
})

t.test('only a pause that asks for a person is approved', async t => {
  const conditions = (reason: string, status = 'True') => [{ type: 'Progressing', status, reason }]
  const cases: [name: string, status: Record<string, unknown>, spec?: Record<string, unknown>][] = [
    ['another phase', { phase: 'Healthy' }],
    [
      'StepPaused that is left of a rollback',
      {
        phase: 'Healthy',
        message: 'Rollout progressing has been cancelled',
        conditions: conditions('Completed', 'False'),
      },
    ],
    [
      'the end of a rollback',
      {
        message: 'Rollout progressing has been cancelled',
        conditions: [...conditions('Completed', 'False'), { type: 'Succeeded', status: 'True' }],
      },
    ],
    ['upgrading', { message: 'Rollout is in step(1/1), and upgrade workload to new version' }],
    [
      'a pause with a duration',
      { message: 'Rollout is in step(2/3), and wait duration(10 seconds) to enter the next step' },
    ],
    ['a continuous release', { conditions: conditions('Initializing') }],
    ['StepUpgrade', { canaryStatus: { currentStepIndex: 1, currentStepState: 'StepUpgrade' } }],
    ['a spec that the controller has not seen', { observedGeneration: 0 }],
    ['a disabled Rollout', {}, { disabled: true }],
    ['no status at all', { phase: undefined, message: undefined, conditions: undefined, canaryStatus: undefined }],
  ]
  for (const [name, status, spec] of cases) {
    const world = await bothPaused(t)
    world.paused('rollout-c', status, spec)
    t.equal((await world.gate({ timeoutSeconds: 0.1 })).outcome, 'timeout', name)
    t.match(world.log.join('\n'), /wait: Rollout rollout-c is not paused/, name)
    t.equal(patches(world), 0, name)
  }
})

t.test('a rollback by somebody else ends the run', async t => {
  const world = await bothPaused(t)
  world.cancel('rollout-a')
  t.match(await world.gate(), { outcome: 'held', reason: 'Rollout rollout-a is being rolled back' })
})

t.test('the pause that was judged is the one that is approved', async t => {
  const world = await bothPaused(t)
  // A third version comes while the second is judged: the count begins anew, and nothing is approved by the old numbers.
  let looks = 0
  world.prometheus.answer = query => {
    if (query === 'time()' && ++looks === 3) world.step('rollout-c', { canaryRevision: 'newer' })
    return undefined
  }
  t.equal((await world.gate()).outcome, 'approved')
  t.strictSame(
    world.log.filter(line => /times in a row/.test(line)).map(line => line.trim().slice(0, 6)),
    ['good 1', 'good 2', 'good 3', 'good 1', 'good 2', 'good 3'].slice(0, 6),
    world.log.join('\n'),
  )
})

t.test('an approval that is overwritten is repeated, one that flickers is not', async t => {
  const world = await bothPaused(t)
  let times = 0
  world.onApprove = name => {
    if (name === 'rollout-c' && ++times <= 2) return world.step(name, { currentStepState: 'StepPaused' })
    // StepReady -> StepPaused -> Completed, as seen when both write in one moment.
    world.step(name, { currentStepState: 'StepPaused' })
    setImmediate(() => world.finish(name))
  }
  t.equal((await world.gate()).outcome, 'approved')
  t.equal(world.done.filter(one => one === 'approve rollout-c').length, 3)
  t.equal(world.done.filter(one => one === 'approve rollout-a').length, 1)
})

t.test('an approval that is always lost is given up and reported', async t => {
  const world = await bothPaused(t)
  world.onApprove = name => world.step(name, { currentStepState: 'StepPaused' })
  t.match(await world.gate(), {
    outcome: 'held',
    reason: /LANEWAY_GATE_NOT_TAKEN: the approval of Rollout rollout-c was lost 5 times/,
  })
  t.equal(stepState(world.api.store.get(ROLLOUTS, 'rollout-a')), 'StepPaused', 'the entrance is untouched')
})

t.test('a controller that does nothing does not count as an approval', async t => {
  const world = await bothPaused(t)
  world.onApprove = () => {}
  t.match(await world.gate({ settleSeconds: 0.1 }), {
    outcome: 'held',
    reason: /the controller has not acted on the approval of Rollout rollout-c within 0\.1 s/,
  })
})

t.test('a write of the controller between look and patch is a conflict, and looked at again', async t => {
  const world = await bothPaused(t)
  let written = 0
  world.api.faults.refuse = one => {
    if (one.method === 'PATCH' && written++ === 0) world.step('rollout-c', { canaryReplicas: 1 })
    return undefined
  }
  t.equal((await world.gate()).outcome, 'approved')
  t.strictSame(
    world.done.filter(one => one.startsWith('approve')),
    ['approve rollout-c', 'approve rollout-a'],
  )
})

t.test('a release that is cancelled just before the patch is not approved', async t => {
  const world = await bothPaused(t)
  world.api.faults.refuse = one => {
    if (one.method === 'PATCH') world.cancel('rollout-c')
    return undefined
  }
  t.match(await world.gate(), { outcome: 'held', reason: /Rollout rollout-c is being rolled back/ })
  t.strictSame(world.done, [])
})

t.test('several steps: each pause is judged anew, until the last', async t => {
  const world = await bothPaused(t)
  world.onApprove = name => {
    const { currentStepIndex } = (world.api.store.get(ROLLOUTS, name)!['status'] as any).canaryStatus
    if (currentStepIndex === 2) return world.finish(name)
    world.status(name, { message: CONFIRM.replace('1/1', '2/2') })
    world.step(name, {
      currentStepIndex: 2,
      currentStepState: 'StepPaused',
      lastUpdateTime: new Date(Date.now() - 30_000).toISOString(),
    })
  }
  t.equal((await world.gate()).outcome, 'approved', world.log.join('\n'))
  t.strictSame(
    world.done.filter(one => one.startsWith('approve')),
    ['approve rollout-c', 'approve rollout-a', 'approve rollout-c', 'approve rollout-a'],
  )
})

t.test('between two approvals the lane is judged again: what is bad then is held', async t => {
  const world = await bothPaused(t)
  world.onApprove = name => {
    world.prometheus.say(['shop-c'], { requests: 400, errors: 40 }, { requests: 4_000 })
    world.finish(name)
  }
  t.match(await world.gate(), { outcome: 'held', reason: /after the first approvals: shop-c: errors 10\.00 %/ })
  t.strictSame(world.done, ['approve rollout-c', 'finished rollout-c'])
  t.equal(stepState(world.api.store.get(ROLLOUTS, 'rollout-a')), 'StepPaused')
})

t.test('the window does not reach back behind the pause', async t => {
  const world = await bothPaused(t)
  world.step('rollout-c', { lastUpdateTime: new Date(Date.now() - 20_000).toISOString() })
  await world.gate({ dryRun: true })
  const [, seconds] =
    /_bucket\{[^}]*\}\[(\d+)s\]/.exec(world.prometheus.queries.find(one => one.includes('_bucket')) ?? '') ?? []
  t.ok(Number(seconds) >= 19 && Number(seconds) <= 21, `${seconds} s`)
  world.step('rollout-c', { lastUpdateTime: new Date(Date.now() + 5_000).toISOString() })
  t.equal((await world.gate({ dryRun: true })).outcome, 'timeout', 'a pause in the future')
})

t.test('a dry run says what would be done and does nothing', async t => {
  const world = await bothPaused(t)
  t.match(await world.gate({ dryRun: true }), {
    outcome: 'approved',
    reason: 'dry run: would approve rollout-c, then rollout-a',
  })
  world.prometheus.say(['shop-c'], { requests: 400, errors: 400 }, { requests: 4_000 })
  t.match(await world.gate({ dryRun: true, onFail: 'rollback' }), {
    outcome: 'held',
    reason: /dry run: would roll back rollout-a, then rollout-c: shop-c: errors 100\.00 %/,
  })
  world.prometheus.say(['shop-c'], { requests: 4 }, { requests: 4_000 })
  t.match(await world.gate({ dryRun: true }), { outcome: 'timeout', reason: 'shop-c: 96 requests of lane missing' })
  t.ok(world.api.requests.every(one => one.method === 'GET'))
})

t.test('a rollback restores the stable templates, from the entrance to the last hop', async t => {
  const world = await bothPaused(t)
  world.prometheus.say(['shop-c'], { requests: 400, errors: 20 }, { requests: 4_000 })
  t.equal((await world.gate({ onFail: 'rollback' })).outcome, 'rolled-back', world.log.join('\n'))
  t.strictSame(world.done, ['revert shop-a to shop-a:1', 'revert shop-c to shop-c:1'])
  const spec = world.api.store.get(DEPLOYMENTS, 'shop-c')?.['spec'] as any
  t.strictSame(spec.template.metadata.labels, { app: 'shop-c' }, 'without the hash of the ReplicaSet')
  t.equal(spec.template.spec['x-unknown-field'], true, 'whole, with fields that no client knows')
  t.strictSame(world.events(), ['Warning LaneRolledBack rollout-a', 'Warning LaneRolledBack rollout-c'])
})

t.test('a rollback is refused before anything is touched', async t => {
  const deployment = (world: World, change: (object: any) => void) => {
    const object = structuredClone(world.api.store.get(DEPLOYMENTS, 'shop-c')) as any
    change(object)
    world.api.store.put(DEPLOYMENTS, object)
  }
  const cases: [name: string, change: (world: World) => void, reason: RegExp][] = [
    ...['argocd-controller', 'kustomize-controller', 'helm-controller', 'fleet-agent', 'my-ci'].map(
      manager =>
        [
          manager,
          (world: World) => deployment(world, object => object.metadata.managedFields.push({ manager })),
          new RegExp(`Deployment shop-c is managed by ${manager}`),
        ] as [string, (world: World) => void, RegExp],
    ),
    ['no stable revision', world => world.step('rollout-c', { stableRevision: '' }), /names no stable revision/],
    [
      'no such ReplicaSet',
      world => world.step('rollout-c', { stableRevision: 'gone' }),
      /has no ReplicaSet of the stable revision gone/,
    ],
    [
      'another workload',
      world => world.paused('rollout-c', {}, { workloadRef: { kind: 'CloneSet', name: 'x' } }),
      /its workload is a CloneSet/,
    ],
  ]
  for (const [name, change, reason] of cases) {
    const world = await bothPaused(t)
    world.prometheus.say(['shop-b'], { requests: 400, errors: 400 }, { requests: 4_000 })
    change(world)
    t.match(await world.gate({ onFail: 'rollback', gitopsManagers: ['my-ci'] }), { outcome: 'held', reason }, name)
    t.equal(image(world.api.store.get(DEPLOYMENTS, 'shop-a')), 'shop-a:2', `${name}: the entrance is untouched`)
  }
})

t.test('a Deployment that changes under the rollback is tried again', async t => {
  const world = await bothPaused(t)
  world.prometheus.say(['shop-c'], { requests: 400, errors: 20 }, { requests: 4_000 })
  let conflicts = 0
  world.api.faults.refuse = one => {
    if (one.method === 'PATCH' && one.path === `${DEPLOYMENTS}/shop-a` && conflicts++ < 2) {
      world.api.store.put(DEPLOYMENTS, world.api.store.get(DEPLOYMENTS, 'shop-a')!)
    }
    return undefined
  }
  t.equal((await world.gate({ onFail: 'rollback' })).outcome, 'rolled-back')
  t.equal(conflicts, 3)
})

t.test('an API server that stumbles does not end an approval by half', async t => {
  const world = await bothPaused(t)
  let looks = 0
  world.api.faults.refuse = one =>
    one.path === `${ROLLOUTS}/rollout-c` && one.method === 'GET' && ++looks === 5 ? 503 : undefined
  t.equal((await world.gate()).outcome, 'approved', world.log.join('\n'))
  t.ok(looks > 5)
})

t.test('a blue-green Rollout is approved where its step stands', async t => {
  const world = await bothPaused(t)
  const step = {
    currentStepIndex: 1,
    currentStepState: 'StepPaused',
    updatedRevision: 'new',
    lastUpdateTime: new Date(Date.now() - 60_000).toISOString(),
  }
  world.paused('rollout-c', { canaryStatus: undefined, blueGreenStatus: step })
  const answer = world.gate()
  await new Promise<void>(resolve => {
    const off = world.api.store.onChange(({ object }) => {
      if ((object['status'] as any)?.blueGreenStatus?.currentStepState !== 'StepReady') return
      off()
      setImmediate(() => {
        world.status('rollout-c', { blueGreenStatus: { ...step, currentStepState: 'Completed' }, phase: 'Healthy' })
        resolve()
      })
    })
  })
  t.equal((await answer).outcome, 'approved')
})
