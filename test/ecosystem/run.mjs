// `npm run test:ecosystem`: Laneway beside the libraries that people run, each row held against the same service on plain Node.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { nodeBinary } from '../../scripts/node-versions.mjs'
import { installLocked, libraries } from './install.mjs'
import { differences, judge } from './judge.mjs'
import { startNeighbours } from './neighbours.mjs'
import { decide, header, line } from './report.mjs'
import { startResources, stopResources } from './resources.mjs'
import { batchesOf, loadRows } from './rows.mjs'
import { runBatch } from './run-row.mjs'

const HELP = `npm run test:ecosystem -- [options]

  --full            all rows in all ways (default: the rows that are no \`full\`, a part that CI can afford)
  --only <regex>    rows whose "group/name library" matches; all of them, whether \`full\` or not
  --ways <list>     of register, explicit, otel (plain Node always runs: the others are held against it)
  --parallel <n>    processes at a time (default: one for each processor)
  --node <major>    the Node that runs the services: 20, 22, 24 or 26 (default: this one)
  --list            the rows, and what each does
  --verbose         more of what went wrong
  --help            this text

Each row is one service that uses one library, between A, which sends 40 requests in two lanes and none, and what it calls.
ok, wrong, lost, leaked, doubled and failed count requests or calls; changed counts differences from plain Node.
`
const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    ways: { type: 'string', default: 'register,explicit,otel' },
    parallel: { type: 'string', default: String(availableParallelism()) },
    node: { type: 'string' },
    list: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
await installLocked(libraries)
const only = values.only === undefined ? undefined : new RegExp(values.only)
const rows = (await loadRows()).filter(({ group, name, row }) =>
  only === undefined ? values.full || !row.full : only.test(`${group}/${name} ${row.library}`),
)
if (values.list) {
  for (const { group, name, row, version } of rows) {
    console.log(
      `${`${group}/${name}`.padEnd(36)}${`${row.library} ${version}`.padEnd(36)}${row.use}${row.full ? '  (full)' : ''}`,
    )
  }
  process.exit(0)
}
const node = values.node === undefined ? process.execPath : await nodeBinary(Number(values.node))
if (node === undefined) throw new Error(`Node ${values.node} cannot be had on this machine`)

const ways = values.ways.split(',')
const counts = { passed: 0, failed: 0, skipped: 0 }
const started = Date.now()
const bad = []
console.log(header())
const batches = batchesOf(rows)
await Promise.all(Array.from({ length: Number(values.parallel) }, work)).finally(stopResources)
for (const { name, way, why } of bad) console.log(`! ${name}, ${way}:\n${why.join('\n').replace(/^/gm, '    ')}`)
console.log(`${rows.length} rows, ${Math.round((Date.now() - started) / 1000)} s, Node ${process.version}`)
console.log(`ecosystem: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1

async function work() {
  const neighbours = await startNeighbours()
  for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) await runAllWays(batch, neighbours)
  neighbours.close()
}

async function runAllWays(batch, neighbours) {
  const { resources, missing } = await startResources(batch.flatMap(({ row }) => row.needs ?? []))
  if (missing !== undefined) {
    for (const one of batch) console.log(`skipped: ${one.group}/${one.name}: ${missing}`)
    counts.skipped += batch.length
    return
  }
  const world = { neighbours, resources, node }
  const plain = await runBatch(batch, 'plain', world)
  for (const one of batch) {
    let result = check(one, plain.get(one.file), undefined)
    // Some libraries lose a race of their own at their start. Nothing can be held against such a run, so there is another.
    if (!works(result)) {
      plain.set(one.file, (await runBatch([one], 'plain', world)).get(one.file))
      result = check(one, plain.get(one.file), undefined)
    }
    report(one, 'plain', result)
  }
  for (const way of ways) {
    const able = batch.filter(one => reasonOf(one.row, way) === undefined)
    for (const one of batch) if (!able.includes(one)) print(one, way, undefined, reasonOf(one.row, way))
    const seen = able.length === 0 ? new Map() : await runBatch(able, way, world)
    for (const one of able) {
      const before = plain.get(one.file)
      let result = check(one, seen.get(one.file), before)
      if (way === 'otel' && result.changed > 0) {
        const alone = (await runBatch([one], 'otel alone', world)).get(one.file)
        result = check(one, seen.get(one.file), { ...before, ...alone, byId: before.byId }, alone)
      }
      report(one, way, result)
    }
  }
}

/** Why a row cannot run in a way, `undefined` when it can. */
function reasonOf(row, way) {
  const reason = row.notApplicable?.[way]
  if (reason !== undefined || way !== 'explicit') return reason
  return row.explicit === true ? undefined : (row.explicit ?? 'no package for it')
}

function check({ row }, own, plain) {
  const result = judge({ ...own, plain })
  result.served = Math.max(0, own.answers.size - result.failed)
  const changes = plain === undefined ? [] : differences(row, own, plain)
  if (own.fault !== undefined) changes.push(own.fault)
  result.changed = changes.length
  result.why.push(...changes.slice(0, values.verbose ? 40 : 4))
  if (result.failed > 0 && own.broken === undefined && own.output) result.why.push(brief(own.output))
  if (own.broken !== undefined) {
    result.failed = Math.max(result.failed, 1)
    result.why.push(brief(String(own.broken.message)))
  }
  return result
}

/** Without the rest of minified lines. */
function brief(text) {
  const lines = text.split('\n').map(one => one.slice(0, 200))
  return lines.slice(0, values.verbose ? 100 : 20).join('\n')
}

function works(result) {
  return result.failed === 0 && result.doubled === 0
}

/** On plain Node nobody carries the tag; what counts is that the service works at all, as the row says. */
function report(one, way, result) {
  if (way === 'plain') {
    Object.assign(result, { passed: works(result) })
  } else decide(result, one.row)
  counts[result.passed ? 'passed' : 'failed']++
  print(one, way, result)
  if (!result.passed) bad.push({ name: `${one.group}/${one.name}`, way, why: result.why })
}

function print({ row, version }, way, result, reason) {
  console.log(line({ library: row.library, version, way, use: row.use, result, reason }))
}
