import { join } from 'node:path'
import type { JournalEntry } from './cluster/journal.js'
import { runCommand } from './commands/run-command.js'
import type { Phases } from './phases.js'
import type { Play } from './play/play.js'

/** Least requests in a phase that lasts as long as one likes. */
const LEAST = 500

/** Waits until the chain answers: instances are known to each other about half a second after they have registered. */
async function untilServed(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const response = await fetch(`${url}/a`)
    await response.text()
    if (response.status === 200) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('the services do not find each other after 30 s')
}

/**
 * Two releases of A and C: the first in three batches and promoted, the second rolled back; all by the commands that a
 * user would give. The moments between are phases of their own, taken from the log of the play.
 *
 * @param manifests - the folder
 * @param quickEntrance - it follows its rules closely enough to see the shortest moments
 * @param startLoad - called once the chain answers
 */
export async function playStory(
  play: Play,
  phases: Phases,
  manifests: string,
  quickEntrance: boolean,
  startLoad: () => void,
): Promise<void> {
  const { cluster, url } = play
  const run = async (...argv: string[]): Promise<void> => {
    const shown = argv.map(one => (/[ ;]/.test(one) ? `'${one}'` : one)).join(' ')
    console.log(`\n$ npm run demo -- ${shown}\n${await runCommand(play, argv, process.cwd())}`)
  }
  const wait = (what: string) => runCommand(play, ['wait', what], process.cwd())
  /** Publishes a configuration and waits until the pods of A answer with it. */
  const config = async (content: string, ...lane: string[]) => {
    if (play.publish === undefined) return
    await run('config', content, ...lane)
    const user = lane.length > 0 ? ['-H', 'User-Agent: xiaoming'] : []
    const end = Date.now() + 30_000
    // Each of its pods follows by itself.
    const answers = () => runCommand(play, ['curl', '/a', '-n', '4', ...user], '')
    while ((await answers()).split(`[config=${content}]`).length !== 5) {
      if (Date.now() > end) throw new Error(`A does not follow its configuration ${content} in 30 s`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
  const curls = async () => {
    await run('curl', '/a')
    await run('curl', '/a', '-H', 'User-Agent: xiaoming')
  }
  /** Begins a phase at the first change that fits. */
  const window = (name: string, fits: (entry: JournalEntry) => boolean, inLane = false) => {
    let over = false
    cluster.journal.listen(entry => {
      if (over || !fits(entry)) return
      over = true
      phases.begin(name, inLane)
    })
  }
  const isRoute = (colours: boolean) => (entry: JournalEntry) =>
    entry.kind === 'TrafficRouting' && (entry['status'] as any).phase === (colours ? 'Progressing' : 'Finalizing')
  const isGrayReady = (entry: JournalEntry) =>
    entry.kind === 'Pod' && entry['ready'] === true && 'alicloud.service.tag' in (entry['labels'] as object)
  const release = async (tag: string) => {
    phases.begin(`image ${tag}: nothing has changed yet`)
    await phases.fill(1)
    window(`${tag}: tagged, no gray instance is ready`, isRoute(true), quickEntrance)
    window(`${tag}: the first gray instances`, isGrayReady)
    await run('set-image', `a=${tag}`, `c=${tag}`)
    await wait('rollouts')
    await run('get', 'rollouts')
  }

  await run('apply', '-f', manifests)
  await wait('deployments')
  await wait('rollouts')
  await untilServed(url)
  startLoad()
  phases.begin('base 2.0.0 alone')
  await phases.fill(LEAST)
  await curls()
  await config('autumn')
  await curls()

  await release('2.0.1')
  phases.begin('batch 1: one user, gray A and C', true)
  await phases.fill(LEAST)
  await curls()
  await config('winter', '--lane', 'gray')
  await curls()
  await run('approve', 'rollout/rollout-c', 'rollout/rollout-a')
  await wait('rollouts')
  phases.begin('batch 2: half of the pods and of the users', true)
  await run('apply', '-f', join(manifests, 'half-of-requests'))
  await run('get', 'rollouts')
  await phases.fill(2 * LEAST)

  phases.begin('batch 3: C is approved, its base rolls')
  await run('approve', 'rollout/rollout-c')
  await wait('rollouts')
  await phases.fill(LEAST)
  window('batch 3: A is untagged while its old base runs', isRoute(false))
  await run('approve', 'rollout/rollout-a')
  await wait('rollouts')
  phases.begin('base 2.0.1 alone')
  await run('get', 'rollouts')
  await phases.fill(LEAST)
  await curls()

  await run('apply', '-f', join(manifests, 'traffic-routing.yaml'))
  await release('2.0.2')
  phases.begin('gray 2.0.2 of A and C', true)
  await phases.fill(LEAST)
  phases.begin('A is reverted, its gray pods end at once', true)
  await run('undo', 'rollout/rollout-a')
  await wait('rollouts')
  await phases.fill(LEAST)
  await run('curl', '/a', '-H', 'User-Agent: xiaoming')
  phases.begin('C is reverted, too')
  await run('undo', 'rollout/rollout-c')
  await wait('rollouts')
  await phases.fill(LEAST)
  await run('get', 'rollouts')
  await curls()
}
