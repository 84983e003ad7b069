// `npm run test:propagation`: every ingress x every egress x every condition, each with its control.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { nodeBinary } from '../../scripts/node-versions.mjs'
import { CONDITIONS } from './conditions.mjs'
import { INGRESSES } from './ingresses.mjs'

const HELP = `npm run test:propagation -- [options]

  --full            2,000 requests a cell on Node 20, 26, 22 and 24 (default: 200 on Node 20 and 26)
  --count <n>       requests a cell
  --nodes 20,26     which Node versions, in this order
  --parallel <n>    processes at a time (default: one for each processor)
  --register        the front services know nothing of Laneway, they are started with --import @laneway/register
  --only <regex>    cells whose name matches, e.g. "Express 5 x undici7 fetch x retry"
  --list            every cell instead of one line per condition
  --help            this text

Each cell runs twice: with Laneway, where nothing may be wrong, and with a fault built in, where something must be: a
cell whose control shows nothing is VOID, and the run fails. The column "control" is the least that a control has shown.
`
const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    count: { type: 'string' },
    nodes: { type: 'string' },
    parallel: { type: 'string' },
    register: { type: 'boolean', default: false },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
const nodes = (values.nodes ?? (values.full ? '20,26,22,24' : '20,26')).split(',').map(Number)
const count = Number(values.count ?? (values.full ? 2000 : 200))
const parallel = Number(values.parallel ?? availableParallelism())
/** The cells of an ingress go to so many processes in turn, so that no processor waits long for the last one. */
const PARTS = 2

const rows = []
const crashes = []
const missing = []
const jobs = []
for (const node of nodes) {
  const binary = await nodeBinary(node)
  if (binary === undefined) missing.push(node)
  else
    for (const ingress of Object.keys(INGRESSES))
      for (let part = 0; part < PARTS; part++) jobs.push({ node, binary, ingress, part })
}
const started = Date.now()
const children = new Set()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of children) child.kill('SIGKILL')
    console.log(`\nended by ${signal}, ${jobs.length} jobs not begun`)
    report()
    process.exit(1)
  })
}
await Promise.all(Array.from({ length: parallel }, work))
report()

async function work() {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    await runWorker(job)
    const seconds = Math.round((Date.now() - started) / 1000)
    const sum = totals(rows.filter(row => row.reason === undefined))
    console.log(
      `${String(seconds).padStart(4)} s  Node ${job.node} ${job.ingress} ${job.part + 1}/${PARTS}, ${jobs.length} jobs to go; so far ${Object.entries(
        sum,
      )
        .map(([name, number]) => `${name} ${number}`)
        .join(', ')}`,
    )
  }
}

function totals(some) {
  const sum = key => some.reduce((total, row) => total + row[key], 0)
  return {
    cells: some.length,
    sent: sum('sent'),
    wrong: sum('wrong'),
    lost: sum('lost'),
    doubled: sum('doubled'),
    failed: sum('failed'),
    VOID: some.filter(row => row.control === 0).length,
  }
}

function runWorker({ node, binary, ingress, part }) {
  const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url))
  const { only, register } = values
  const options = JSON.stringify({
    ingress,
    part,
    parts: PARTS,
    count,
    only,
    register,
  })
  return new Promise(resolve => {
    const child = spawn(binary, ['--no-warnings', '--max-semi-space-size=32', worker, options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    let output = ''
    let errors = ''
    child.stdout.on('data', chunk => {
      output += chunk
      const lines = output.split('\n')
      output = lines.pop()
      for (const line of lines) {
        const row = JSON.parse(line)
        if (row.crash === undefined) rows.push(row)
        else crashes.push(row.crash)
      }
    })
    child.stderr.on('data', chunk => (errors = (errors + chunk).slice(-4000)))
    child.on('close', code => {
      children.delete(child)
      if (code !== 0)
        rows.push({
          node,
          ingress,
          egress: '-',
          condition: '-',
          sent: 0,
          wrong: 0,
          lost: 0,
          doubled: 0,
          failed: 1,
          control: 1,
          why: `the worker ended with ${code}\n${errors}`,
        })
      resolve()
    })
  })
}

function report() {
  const real = rows.filter(row => row.reason === undefined)
  const bad = row => row.wrong + row.lost + row.doubled + row.failed > 0 || row.control === 0
  console.log(
    `\n${'condition'.padEnd(30)}${[...Object.keys(totals([])), 'n/a', 'control'].map(one => one.padStart(9)).join('')}`,
  )
  for (const condition of [...Object.keys(CONDITIONS), 'total']) {
    const mine = condition === 'total' ? real : real.filter(row => row.condition === condition)
    const absent = rows.filter(
      row => row.reason !== undefined && (condition === 'total' || row.condition === condition),
    )
    if (mine.length + absent.length === 0) continue
    const shown = mine.length === 0 ? '-' : Math.min(...mine.map(row => row.control))
    const cells = [...Object.values(totals(mine)), absent.length, shown]
    console.log(`${condition.padEnd(30)}${cells.map(one => String(one).padStart(9)).join('')}`)
  }
  if (values.list) for (const row of rows) console.log(JSON.stringify(row))
  for (const row of real.filter(bad).slice(0, 40)) {
    const why =
      row.control === 0
        ? `VOID: the control (${row.fault}) shows nothing${row.controlWhy === undefined ? '' : `, ${row.controlWhy}`}`
        : row.why
    console.log(
      `! Node ${row.node} ${row.ingress} x ${row.egress} x ${row.condition}: wrong ${row.wrong}, lost ${row.lost}, doubled ${row.doubled}, failed ${row.failed}: ${why}`,
    )
  }
  const reasons = new Map()
  for (const { reason } of rows) if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  for (const [reason, times] of reasons) console.log(`n/a ${times}: ${reason}`)
  for (const crash of crashes.slice(0, 5)) console.log(`uncaught: ${crash}`)
  for (const node of missing) console.log(`skipped: Node ${node} cannot be had on this machine`)
  const failed = real.filter(bad).length + crashes.length
  console.log(
    `propagation: ${real.length - real.filter(bad).length} passed, ${failed} failed, ${missing.length} skipped`,
  )
  process.exitCode = failed === 0 ? 0 : 1
}
