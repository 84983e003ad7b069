import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ask, demo, notBuilt, playFolder, readLog } from './played-services.js'
import { type Moment, releaseSequence } from './release-sequence.js'
import { differences } from './same-release.js'

const recorded: Moment[] = JSON.parse(readFileSync(new URL('recorded/release.json', import.meta.url), 'utf8'))
const BASE = /^A\[[\d.]+:\d+\]\[config=base\] -> B\[[\d.]+:\d+\] -> C\[[\d.]+:\d+\]$/
const GRAY = /^Agray\[[\d.]+:\d+\]\[config=base\] -> B\[[\d.]+:\d+\] -> Cgray\[[\d.]+:\d+\]$/
const CONFIRM = 'Rollout is in step(1/1), and you need manually confirm to enter the next step'

t.test(
  'a release by commands, with real services: printed as on a cluster, in the order of a cluster',
  {
    skip: notBuilt,
    timeout: 110_000,
  },
  async t => {
    const { folder, manifests, remove } = playFolder('laneway-gateway')
    const state = join(folder, 'state')
    const run = (...argv: string[]) => demo(state, ...argv)
    const tell = (...argv: string[]) => ask(state, ...argv)
    t.teardown(async () => {
      await run('down')
      remove()
    })
    const xiaoming = ['curl', '/a', '-H', 'User-Agent: xiaoming']

    /** Instances are known to each other a moment after they have registered, routes a moment after they are written. */
    const until = async (path: RegExp) => {
      const end = Date.now() + 30_000
      while (!path.test((await tell(...xiaoming)).out) && Date.now() < end) {
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      t.match(await tell(...xiaoming), { code: 0, out: path })
    }

    const early = await run('get', 'rollouts')
    t.match(early, { code: 1, out: '', err: /^error: nothing is played; begin with: npm run demo -- apply\n$/ })

    const applied = await run('apply', '-f', manifests, '--speed', '20')
    t.equal(applied.code, 0, applied.err)
    t.match(applied.out, /^deployment\.apps\/spring-cloud-a created$/m)
    t.match(applied.out, /^rollout\.rollouts\.kruise\.io\/rollout-c created$/m)
    t.match(applied.out, /^trafficrouting\.rollouts\.kruise\.io\/lane-traffic created$/m)
    t.match(applied.out, /^not played, so not created: 1 Namespace, /m)
    t.notMatch(applied.out, /(nacos-server|demo-mysql|laneway-gateway) created/, 'nothing would run for them')
    t.equal((await tell('get', 'secrets')).out, 'No resources found in default namespace.')
    t.match((await tell('apply', '-f', manifests)).out, /^deployment\.apps\/spring-cloud-a unchanged$/m)
    await tell('wait', 'deployments')
    const before = await tell('get', 'rollouts')
    t.match(before.out, /^NAME +STATUS +CANARY_STEP +CANARY_STATE +MESSAGE +AGE$/m)
    t.match(before.out, /^rollout-a +Healthy +1 +Completed +workload deployment is completed +\d+\w+$/m)
    await until(BASE)

    const changed = await run('set-image', 'a=2.0.1', 'c=2.0.1')
    t.equal(changed.out, 'deployment.apps/spring-cloud-a image updated\ndeployment.apps/spring-cloud-c image updated\n')
    await tell('wait', 'rollouts')
    const paused = (await run('get', 'rollouts')).out
    for (const name of ['rollout-a', 'rollout-c']) {
      const line = paused.split('\n').find(one => one.startsWith(name)) ?? ''
      t.same(line.split(/ {3,}/).slice(0, 5), [name, 'Progressing', '1', 'StepPaused', CONFIRM])
    }
    await until(GRAY)
    t.match(await tell('curl'), { out: BASE })
    t.match(await tell('approve', 'rollout-b'), {
      code: 1,
      err: `error: rollouts.rollouts.kruise.io "rollout-b" does not allow to approve, because current canary state is not 'StepPaused'`,
    })

    for (const name of ['rollout-c', 'rollout-a']) {
      t.equal((await run('approve', `rollout/${name}`)).out, `rollout.rollouts.kruise.io/${name} approved\n`)
      await tell('wait', `rollout/${name}`)
    }
    await tell('wait', 'deployments')
    await until(BASE)
    t.match(await tell('config', 'autumn'), { code: 0, out: 'sc-A.config published: autumn' })
    await until(/^A\[[\d.]+:\d+\]\[config=autumn\] -> /)
    t.match(await tell('config', 'a b]'), { code: 1, err: /^error: config <content>, of up to 40 letters/ })
    t.match((await tell('get', 'deployment', 'spring-cloud-a', '-o', 'yaml')).out, /image: \S+spring-cloud-a:2\.0\.1/)
    t.equal((await run('down')).out, 'the play has ended\n')

    const played = releaseSequence(readLog(join(state, 'play.jsonl')))
    const controllers = (moments: Moment[]) => moments.filter(one => !one.object.startsWith('gray pod'))
    t.same(differences(controllers(recorded), controllers(played)), [])
  },
)
