// Packages of an earlier commit beside those of this checkout: in one process, and in a fleet where each hop is of one or the
// other, over HTTP and gRPC.
//   npm run test:compat [-- --from COMMIT] [--count N]
//   --from    the earlier commit; default: the newest tag, else two commits: from before and from after the endpoints server
//   --count   requests for each lane, carrier and entrance; default 20
// The controls must fail, or the run does: an older side with another header, and a copy of core with a context of its own.
// A clone without such a commit (a shallow one) says so and counts its checks as skipped.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { followEndpoints, hasEndpointsServer } from './endpoints.mjs'
import { load, startFleet } from './fleet.mjs'
import { hashOf, olderPacks } from './older-packs.mjs'

const PINNED = ['1cddb5069e', '672b41fec0']
/** Two orders in one process and a control; two protocols and a control. */
const CHECKS = 6
const root = fileURLToPath(new URL('../..', import.meta.url))
const { values } = parseArgs({ options: { from: { type: 'string' }, count: { type: 'string', default: '20' } } })
const counts = { passed: 0, failed: 0, skipped: 0 }
const check = (what, ok, details = '') => {
  counts[ok ? 'passed' : 'failed']++
  console.log(`${ok ? 'ok' : 'not ok'} ${what}${details === '' ? '' : `: ${details}`}`)
}

const tag = newestTag()
const commits = values.from !== undefined ? [values.from] : tag !== undefined ? [tag] : PINNED
for (const commit of commits) {
  const hash = hashOf(commit)
  if (hash === undefined) {
    console.log(`skipped: this clone does not have commit ${commit}; git fetch --unshallow brings it`)
    counts.skipped += CHECKS
    continue
  }
  const older = olderPacks(hash)
  console.log(`beside the packages of ${hash.slice(0, 10)}`)
  inOneProcess(older)
  const sides = {
    new: { register: '@laneway/register' },
    old: { register: `${older}node_modules/@laneway/register/dist/esm/index.js` },
  }
  for (const protocol of ['http', 'grpc']) await inAFleet(protocol, sides)
  await control(sides)
  if (hasEndpointsServer(older)) {
    const [fromOld, fromNew] = [await followEndpoints(older, root), await followEndpoints(root, older)]
    check('an old endpoints server, a new client', fromOld === '', fromOld)
    check('a new endpoints server, an old client', fromNew === '', fromNew)
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(counts.failed === 0 ? 0 : 1)

function newestTag() {
  const tags = execFileSync('git', ['tag', '--sort=-creatordate'], { cwd: root, encoding: 'utf8' })
  return tags.split('\n')[0] || undefined
}

function inOneProcess(older) {
  const named = (name, folder) => ['esm', 'commonjs'].map(dialect => `${name} ${dialect}=${folder}:${dialect}`)
  const [now, old] = [named('new', root), named('old', older)]
  for (const [order, list] of [
    ['new, then old', [...now, ...old]],
    ['old, then new', [...old, ...now]],
  ]) {
    const { rows, problem } = lanesOf(list)
    const bad = rows.filter(row => !row.ok)
    const details = bad.slice(0, 3).map(({ what, seen }) => `${what}: ${seen}`)
    check(
      `in one process, ${order}`,
      problem === '' && bad.length === 0 && rows.length > 200,
      [`${rows.length - bad.length} of ${rows.length} right`, ...details, problem].filter(Boolean).join('; '),
    )
  }
  const island = islandOf(older)
  try {
    const { rows } = lanesOf([now[0], ...named('island', island).slice(0, 1)])
    const bad = rows.filter(row => !row.ok).length
    check('control: a copy of core with a context of its own is noticed', bad > 0, `${bad} of ${rows.length} wrong`)
  } finally {
    rmSync(island, { recursive: true })
  }
}

function lanesOf(list) {
  const args = [fileURLToPath(new URL('in-process.mjs', import.meta.url)), ...list]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 120_000,
  })
  const rows = stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
  return { rows, problem: status === 0 ? '' : `ended with ${status}: ${stderr.slice(-1000)}` }
}

/** The older packages with another name for what all copies share. */
function islandOf(older) {
  const folder = mkdtempSync(join(root, 'node_modules/.cache/laneway-compat/island-'))
  for (const name of ['core', 'http', 'undici', 'discovery']) {
    const pack = `node_modules/@laneway/${name}`
    cpSync(join(older, pack), join(folder, pack), { recursive: true })
  }
  const dist = join(folder, 'node_modules/@laneway/core/dist/esm')
  for (const file of readdirSync(dist).filter(name => name.endsWith('.js'))) {
    const text = readFileSync(join(dist, file), 'utf8')
    writeFileSync(join(dist, file), text.replaceAll('laneway.context.v1', 'laneway.context.island'))
  }
  return folder
}

async function inAFleet(protocol, sides) {
  const fleet = await startFleet(protocol, sides)
  const ways = await load(fleet, Number(values.count))
  await fleet.close()
  const rows = [...ways].sort()
  for (const [way, { right, wrong, lost, failed, example }] of rows) {
    console.log(
      `  ${way}: ${right} right, ${wrong} wrong, ${lost} lost, ${failed} failed${example ? ` (${example})` : ''}`,
    )
  }
  const whole = ['new', 'old'].every(a =>
    ['new', 'old'].every(b => ['new', 'old'].every(c => ways.has(`${a}>${b}>${c}`))),
  )
  const bad = rows.reduce((sum, [, { wrong, lost, failed }]) => sum + wrong + lost + failed, 0)
  check(`${protocol}: A -> B -> C, each of either version`, whole && bad === 0, `${ways.size} ways, ${bad} bad`)
}

async function control({ new: now, old }) {
  const strange = { ...old, env: { LANEWAY_HEADER: 'x-other-lane', LANEWAY_BAGGAGE: '0' } }
  const fleet = await startFleet('http', { new: now, old: strange }, service => [service === 'sc-b' ? 'old' : 'new'])
  const ways = await load(fleet, 5)
  await fleet.close()
  const bad = [...ways.values()].reduce((sum, { wrong, lost, failed }) => sum + wrong + lost + failed, 0)
  check('control: an older side with another header is noticed', bad > 0, `${bad} bad`)
}
