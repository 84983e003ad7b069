import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Cluster } from '../src/cluster/cluster.js'
import { approve } from '../src/commands/approve.js'
import { setImage } from '../src/commands/set-image.js'
import { startCluster } from './play-cluster.js'
import { type Entry, type Moment, releaseSequence } from './release-sequence.js'
import { differences } from './same-release.js'

const recorded = (name: string): Moment[] =>
  JSON.parse(readFileSync(new URL(`recorded/${name}.json`, import.meta.url), 'utf8'))

const isPaused = (status: any) => /manually confirm/.test(status.message)

function change(cluster: Cluster, service: string, tag: string): void {
  cluster.journal.action(`set image ${service}=${tag}`)
  setImage(cluster, `spring-cloud-${service}`, tag)
}

async function releaseBoth({ cluster, clock, rollout }: Awaited<ReturnType<typeof startCluster>>): Promise<void> {
  change(cluster, 'a', '2.0.1')
  await clock.pass(100)
  change(cluster, 'c', '2.0.1')
  await clock.until(() => isPaused(rollout('rollout-a')) && isPaused(rollout('rollout-c')))
  await clock.pass(2000)
}

t.test('a release is the recorded one, object by object and in its order', async t => {
  const play = await startCluster('gateway-api', 'one')
  const { cluster, clock, rollout } = play
  await releaseBoth(play)
  for (const name of ['rollout-c', 'rollout-a']) {
    cluster.journal.action(`approve ${name}`)
    approve(cluster, name)
    await clock.until(() => rollout(name).phase === 'Healthy')
    await clock.pass(2000)
  }
  await clock.pass(3000)
  const played = releaseSequence(cluster.journal.entries as Entry[])
  t.same(differences(recorded('release'), played), [])
  t.equal(played.length, recorded('release').length)
})

t.test('a rollback is the recorded one, object by object and in its order', async t => {
  const play = await startCluster('mse-ingress', 'one')
  const { cluster, clock, rollout } = play
  await releaseBoth(play)
  for (const service of ['a', 'c']) {
    change(cluster, service, '2.0.0')
    await clock.until(() => rollout(`rollout-${service}`).phase === 'Healthy')
    await clock.pass(2000)
  }
  await clock.pass(3000)
  t.same(differences(recorded('rollback'), releaseSequence(cluster.journal.entries as Entry[])), [])
})

t.test('the comparison sees what is missing, what is more, and another order', async t => {
  const moments = recorded('release')
  const swapped = [...moments]
  const at = moments.findIndex(one => one.object === 'TrafficRouting' && one.became.startsWith('Finalizing'))
  const rolls = moments.findIndex(one => one.object === 'spring-cloud-a' && one.became.startsWith('rolls'))
  swapped.splice(rolls, 0, ...swapped.splice(at, 1))
  t.match(differences(moments, swapped)[0], /recorded first TrafficRouting: Finalizing/)
  t.match(differences(moments, moments.slice(0, -1))[0], /gray pod/)
  t.match(differences(moments, [...moments, { ...moments[0]!, became: 'nothing' }])[0], /more than recorded/)
})

t.test(
  'what is compared is what the recordings say',
  { skip: !process.env['LANEWAY_TRACES'] && 'no LANEWAY_TRACES' },
  async t => {
    for (const [file, name] of [
      ['custom-release.jsonl', 'release'],
      ['mse-rollback.jsonl', 'rollback'],
    ] as const) {
      const text = readFileSync(join(process.env['LANEWAY_TRACES']!, file), 'utf8')
      const entries = text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      t.same(releaseSequence(entries), recorded(name), file)
    }
  },
)
