import { readFileSync } from 'node:fs'
import t from 'tap'
import { runCommand } from '../src/commands/run-command.js'
import { startPlay } from '../src/play/play.js'
import { notBuilt, playFolder } from './played-services.js'
import { type Entry, type Moment, releaseSequence } from './release-sequence.js'
import { differences } from './same-release.js'

const recorded: Moment[] = JSON.parse(readFileSync(new URL('recorded/rollback.json', import.meta.url), 'utf8'))

t.test(
  'a rollback with real services, in the order of a cluster: the entrance first, then the leaf',
  {
    skip: notBuilt,
    timeout: 110_000,
  },
  async t => {
    const { folder, manifests, remove } = playFolder('mse-ingress')
    const play = await startPlay(
      {
        speed: 20,
        port: 0,
        nacos: undefined,
        file: false,
        kubernetes: false,
        register: false,
        grpc: false,
        mutation: undefined,
      },
      manifests,
      folder,
    )
    t.teardown(async () => {
      await play.close()
      remove()
    })
    const run = (...argv: string[]) => runCommand(play, argv, folder)
    const xiaoming = () => run('curl', '/a', '-H', 'User-Agent: xiaoming')
    /** Instances are known to each other a moment after they have registered, routes a moment after they are written. */
    const until = async (path: RegExp) => {
      const end = Date.now() + 20_000
      while (!path.test(await xiaoming()) && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 50))
      t.match(await xiaoming(), path)
    }

    await run('apply', '-f', manifests)
    await run('wait', 'deployments')
    await until(/^A\[.* -> B\[.* -> C\[/)
    await run('set-image', 'a=2.0.1', 'c=2.0.1')
    await run('wait', 'rollouts')
    await until(/^Agray\[.* -> B\[.* -> Cgray\[/)
    t.equal(await run('undo', 'rollout/rollout-a'), 'rollout.rollouts.kruise.io/rollout-a rolled back')
    await run('wait', 'rollouts')
    await until(/^A\[.* -> B\[.* -> Cgray\[/)
    t.match(await run('get', 'rollouts'), /^rollout-a +Healthy +1 +StepPaused +Rollout progressing has been cancelled/m)
    await run('undo', 'rollout/rollout-c')
    await run('wait', 'rollouts')
    await until(/^A\[.* -> B\[.* -> C\[/)
    const after = releaseSequence(play.cluster.journal.entries as Entry[])
    const controllers = (moments: Moment[]) => moments.filter(one => !one.object.startsWith('gray pod'))
    // The routes are put back three seconds of the cluster after everything else.
    const isLast = (one: Moment) => one.object === 'TrafficRouting' && one.became.startsWith('Healthy')
    t.same(
      differences(
        controllers(recorded).filter(one => !isLast(one)),
        controllers(after).filter(one => !isLast(one)),
      ),
      [],
    )
  },
)
