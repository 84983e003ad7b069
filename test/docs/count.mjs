// Which blocks of the site and the READMEs run, and why the others do not. A block that is in no list is a failure: who
// writes one either runs it or says why not.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { pagesOf, root, textOf } from '../../site/pages.mjs'
import { blocksOf, isInstall, RUNNABLE } from './blocks.mjs'

/** Blocks that another test runs: page, block, the test. */
const RUN_BY = [
  [/^packages\/(amqp|bullmq|kafka|rocketmq|redis-streams)\/README/, /^js$/, 'test/messages/run.mjs'],
  [/^packages\/grpc\/README/, /^js (nice-grpc|nest|connect)$/, 'test/grpc/examples.mjs'],
  [/^packages\/gateway\/README/, /^yaml$/, 'packages/gateway/test/readme.test.ts'],
  [/^packages\/(gate|gateway|laneway)\/README/, /^console$/, 'packages/$1/test/readme.test.ts'],
  [/^packages\/register\/README/, /^ts$/, 'packages/register/test/health.test.ts'],
  [/^docs\/guides\/messages-and-jobs/, /^js (nats|redis|moleculer)$/, 'test/messages/run.mjs'],
  [/^docs\/guides\/koa-hono-h3/, /^js$/, 'test/testing/run.mjs'],
  [/^examples\/end-to-end-canary\/k8s\/README/, /^(console|sh)$/, 'test/walkthrough/run.mjs'],
  [/^examples\/recipes\//, /^(sh|)$/, 'test/recipes/run.mjs'],
  [/^examples\/end-to-end-canary\/README/, /^(sh|)$/, 'examples/end-to-end-canary/test/readme.test.ts'],
]

/** Blocks that nothing runs, with the reason. `no-run: reason` in the line of a fence says the same for one block. */
const NOT_RUN = [
  [/README/, /^(ts|js) no-run$/, 'an excerpt that needs the code around it'],
  [/^(CONTRIBUTING|README)/, /^(sh|ts no-run)$/, 'a command of this repository, which its own CI runs'],
  [/^packages\/[\w-]+\/API/, /^ts no-run$/, 'declarations, written by npm run api'],
  [/^docs\/guides\/lane-per-developer/, /^sh$/, 'needs a staging environment; packages/laneway/test/run-lane.test.ts plays it'],
  [/^benchmarks\//, /^sh$/, 'minutes of measuring'],
  [/^packages\/otel\/README/, /^js$/, 'needs an exporter; test/propagator.test.ts has the same lines'],
  [
    /^docs\/(guides\/(service-mesh|rolling|messages)|how-it-works|style)/,
    /^(ts|yaml|sh|)$/,
    'a fragment for a deployment; YAML and JSON are parsed',
  ],
  [
    /^docs\/guides\/lane-per-developer/,
    /^sh$/,
    'needs a staging environment; a test of laneway run has two developers',
  ],
  [
    /^(packages|examples|docs)\//,
    /^(sh|bash|yaml|json|dockerfile|)$/,
    'for your environment; YAML and JSON are parsed',
  ],
]

/** @param {Set<string>} played - pages whose files and commands were played */
export function countBlocks(files, played, check) {
  const pages = files.filter(file => pagesOf([file]).size > 0 || file === 'README.md')
  const groups = new Map()
  const unknown = []
  const add = (group, file) => {
    const list = groups.get(group) ?? new Map()
    groups.set(group, list.set(file, (list.get(file) ?? 0) + 1))
  }
  for (const file of pages) {
    const text = textOf(file)
    const blocks = blocksOf(text)
    for (const block of blocks) {
      const kind = `${block.lang} ${block.mark}`.trim()
      if (!RUNNABLE.has(block.lang) && !(block.lang === '' && isInstall(block))) continue
      const problem = parsed(block)
      if (problem !== undefined) unknown.push(`${file}:${block.line}: ${problem}`)
      const group = groupOf(file, block, kind, blocks, played)
      if (group === undefined) unknown.push(`${file}:${block.line}: a block "${kind}" that nothing runs`)
      else add(group, file)
    }
  }
  check('every block that can run is run, or has a reason', unknown.join('\n'))
  const counted = [...groups].sort(([a], [b]) => a.localeCompare(b))
  const sum = start =>
    counted.filter(([group]) => group.startsWith(start)).reduce((all, [, list]) => all + total(list), 0)
  console.log(
    `blocks that can run: ${sum('')}; run: ${sum('run')}; install lines: ${sum('install')}; not run: ${sum('not run')}`,
  )
  for (const [group, list] of counted) console.log(`  ${String(total(list)).padStart(4)}  ${group}`)
}

/** Fragments do not run, but they have to be what they look like. */
function parsed({ lang, text }) {
  try {
    if (lang === 'json') JSON.parse(text)
    if (lang === 'yaml') return parseAllDocuments(text).flatMap(({ errors }) => errors)[0]?.message
  } catch (error) {
    return error.message
  }
  return undefined
}

const total = list => [...list.values()].reduce((all, count) => all + count, 0)

function groupOf(file, block, kind, blocks, played) {
  const reason = /no-run: (.*)$/.exec(kind)?.[1]
  if (reason !== undefined) return `not run: ${reason}`
  if (played.has(file) && !kind.includes('no-run')) {
    if (block.lang === 'console') return 'run: commands of a page, with their outputs'
    if (block.file !== undefined) return 'run: files of a page, which its commands use'
  }
  if (isInstall(block)) return 'install lines: npm run release and the minute of the README install the packs'
  if (readmeExamples(file, blocks).has(block)) return 'run: examples of READMEs, by packages/*/test/readme.test.ts'
  for (const [pages, kinds, test] of RUN_BY) {
    const found = pages.exec(file)
    const path = test.replace('$1', found?.[1] ?? '')
    if (found !== null && kinds.test(kind) && existsSync(join(root, path))) return `run: by ${test.replace('$1', '*')}`
  }
  for (const [pages, kinds, why] of NOT_RUN) if (pages.test(file) && kinds.test(kind)) return `not run: ${why}`
  return undefined
}

/** The blocks that `readmeExample(folder, index)` of the package's test runs. */
function readmeExamples(file, blocks) {
  const folder = /^(packages\/[^/]+)\/README\.md$/.exec(file)?.[1]
  const test = join(root, folder ?? '', 'test/readme.test.ts')
  if (folder === undefined || !existsSync(test)) return new Set()
  const calls = readFileSync(test, 'utf8').matchAll(/readmeExample\('[^']*'(?:, (\d+))?/g)
  const programs = blocks.filter(({ lang, mark }) => ['ts', 'js'].includes(lang) && mark === '')
  return new Set([...calls].map(([, index = '0']) => programs[Number(index)]))
}
