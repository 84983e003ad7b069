import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { durationText } from './estimate.js'
import { Chain, type ChainKind, type ChainProcess } from './hop-client.js'
import { median, quantile } from './statistics.js'
import { type Decision, decide } from './stop-rule.js'
import { withTrees } from './trees.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** With the build of both trees this stays under two minutes. */
const MOST_MS = 100_000
const BLOCKS = 40
const REQUESTS = 60
const WARM_BLOCKS = 4
const WARM = 600
/**
 * What else differs between two processes of one program: seeds, when the compiler and the collector happen to run, and on
 * which processor. The young generation is small, so that each block contains collections.
 */
const EVEN = [
  '--hash-seed=1',
  '--random-seed=1',
  '--no-concurrent-recompilation',
  '--single-threaded-gc',
  '--max-semi-space-size=1',
  '--min-semi-space-size=1',
]
/** Of the blocks of a process: what disturbs one only adds to it. */
const UNDISTURBED = 0.25
const TAGS = [undefined, 'gray'] as const

interface QuickCase extends ChainProcess {
  readonly kind: ChainKind
}

/** What can be decided quickly, by name. */
export const QUICK: Readonly<Record<string, QuickCase>> = {
  hop: { kind: { framework: 'fastify', lane: 'lane', telemetry: false } },
  'hop/express': { kind: { framework: 'express', lane: 'lane', telemetry: false } },
  'hop/register': {
    kind: { framework: 'express', lane: 'plain', telemetry: false },
    execArgv: ['--import', '@laneway/register'],
  },
}

/**
 * Says whether the packages as they are cost a request more or less processor time than those of a git ref. Processes of
 * both trees serve in turns until the stop rule decides, untagged and tagged, or the time is over.
 *
 * @param ref - left out: HEAD while the packages have changes, else where this branch left main, else the commit before
 * @returns the exit code: 1 when it is slower
 */
export function decideQuickly(name: string, ref: string | undefined): Promise<number> {
  const quick = QUICK[name]
  if (quick === undefined) throw new Error(`quick knows ${Object.keys(QUICK).join(', ')}; received ${name}`)
  const against = ref ?? defaultRef()
  console.log(`${name}: here against ${against}`)
  return withTrees(against, async (here, there) => {
    stayOnOneProcessor()
    const end = Date.now() + MOST_MS
    const ratios: number[][] = TAGS.map(() => [])
    const costs: number[][] = TAGS.map(() => [])
    let longest = 0
    let decisions: Decision[]
    do {
      const begin = Date.now()
      for (const [at, { now, old }] of (await pairOf(quick, here, there)).entries()) {
        ratios[at]!.push(now / old)
        costs[at]!.push(old)
      }
      decisions = ratios.map(decide)
      longest = Math.max(longest, Date.now() - begin)
    } while (decisions.some(({ verdict }) => verdict === 'open') && Date.now() + longest < end)
    for (const [at, tag] of TAGS.entries()) console.log(lineOf(tag, decisions[at]!, median(costs[at]!)))
    console.log(`${ratios[0]!.length} pairs of processes, ${durationText((Date.now() - end + MOST_MS) / 1000)}`)
    return decisions.some(({ verdict }) => verdict === 'slower') ? 1 : 0
  })
}

function lineOf(tag: string | undefined, { verdict, ratio, low, high }: Decision, before: number): string {
  const text = verdict === 'open' ? 'not decided' : verdict
  const difference = (of: number) => `${((of - 1) * before).toFixed(1)} µs`
  const bounds = `${difference(low)} to ${difference(high)}`
  return `  ${(tag ?? 'untagged').padEnd(10)}${text.padEnd(15)}${difference(ratio)} of ${before.toFixed(0)} (${bounds})`
}

/** One process of each tree, in alternating blocks. @returns what a request costs in each, for each of the tags */
async function pairOf(quick: QuickCase, here: string, there: string): Promise<{ now: number; old: number }[]> {
  const execArgv = [...EVEN, ...(quick.execArgv ?? [])]
  const chains = await Promise.all(
    [here, there].map(folder => Chain.start(quick.kind, undefined, { execArgv, folder })),
  )
  const blocks = TAGS.map(() => chains.map((): number[] => []))
  try {
    for (const chain of chains) {
      for (const tag of TAGS) {
        const answer = JSON.parse(await chain.get(tag))
        if (answer.tag !== (tag ?? null)) throw new Error(`the far service got the tag ${answer.tag}, not ${tag}`)
      }
    }
    for (let block = -WARM_BLOCKS; block < BLOCKS; block++) {
      const turns = block % 2 === 0 ? [0, 1] : [1, 0]
      for (const [at, tag] of TAGS.entries()) {
        for (const turn of turns) {
          const cost = await chains[turn]!.block(block < 0 ? WARM : REQUESTS, tag)
          if (block >= 0) blocks[at]![turn]!.push(cost)
        }
      }
    }
    return blocks.map(([now, old]) => ({ now: quantile(now!, UNDISTURBED), old: quantile(old!, UNDISTURBED) }))
  } finally {
    await Promise.all(chains.map(chain => chain.close()))
  }
}

/**
 * Keeps this process and those that it starts on one processor, where there is `taskset`. Without this, where the
 * scheduler happens to place a process decides about a tenth of what a request costs in it.
 */
function stayOnOneProcessor(): void {
  try {
    const [, processors] = /: (.*)/.exec(execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' }))!
    const last = /\d+$/.exec(processors!)![0]
    execFileSync('taskset', ['-acp', last, String(process.pid)], { stdio: 'ignore' })
  } catch {
    console.log('there is no taskset: expect wider bounds')
  }
}

function defaultRef(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  if (git('status', '--porcelain', 'packages') !== '') return 'HEAD'
  const head = git('rev-parse', 'HEAD')
  for (const main of ['origin/main', 'main']) {
    try {
      const base = git('merge-base', main, 'HEAD')
      if (base !== head) return base.slice(0, 12)
    } catch {
      // A clone may have no such branch.
    }
  }
  return 'HEAD~1'
}
