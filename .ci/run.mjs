import { spawn } from 'node:child_process'

/**
 * Each step is a command, how its output counts, and how long it may take. A command that fails without a count is one
 * failure. The lists of a list run side by side.
 */
const steps = [
  { command: 'npm test', count: tapCounts, minutes: 25 },
  { command: 'npm run test:all -- --rest', count: tapCounts, minutes: 25 },
  { command: 'npm run check', count: plainCounts, minutes: 15 },
  { command: 'npm run release -- --dry-run', count: plainCounts, minutes: 8 },
  { command: 'npm run demo -- --trace', count: exitCount, minutes: 5 },
  { command: 'npm run test:traces', count: tapCounts, minutes: 8 },
  { command: 'npm run test:do-no-harm -- --short', count: plainCounts, minutes: 8 },
  { command: 'npm run test:ecosystem', count: plainCounts, minutes: 15 },
  { command: 'npm run test:propagation', count: plainCounts, minutes: 15 },
  { command: 'npm run test:propagation -- --register --count 30 --nodes 24', count: plainCounts, minutes: 15 },
  { command: 'npm run test:fuzz', count: plainCounts, minutes: 10 },
  { command: 'npm run test:trace', count: plainCounts, minutes: 5 },
  { command: 'npm run test:soak', count: plainCounts, minutes: 10 },
  { command: 'npm run test:chaos', count: plainCounts, minutes: 16 },
  {
    command: "npm run test:chaos -- --grpc --faults 3 --only 'kill|SIG|refused|lane'",
    count: plainCounts,
    minutes: 10,
  },
  { command: 'npm run test:mutations', count: plainCounts, minutes: 15 },
  { command: 'npm run test:grpc -- --ci', count: plainCounts, minutes: 12 },
  { command: 'npm run test:python', count: plainCounts, minutes: 10 },
  { command: 'npm run test:nacos -- nacos3 dev', count: plainCounts, minutes: 15 },
  { command: 'npm run test:first-call -- nacos3 --short', count: plainCounts, minutes: 8 },
  { command: 'npm run test:kubernetes', count: plainCounts, minutes: 25 },
  [
    // They mostly wait: for leases that end, for members that come back, and for servers.
    [
      { command: 'npm run test:messages -- --ci', count: plainCounts, minutes: 40 },
      {
        command: "npm run test:chaos -- --nacos real --faults 6 --only 'registry|list'",
        count: plainCounts,
        minutes: 12,
      },
    ],
    [
      { command: 'npm run test:java', count: plainCounts, minutes: 20 },
      { command: 'npm run test:compat', count: plainCounts, minutes: 8 },
      { command: 'npm run test:mesh', count: plainCounts, minutes: 5 },
      { command: 'npm run test:testing', count: plainCounts, minutes: 5 },
      { command: 'npm run test:nestjs', count: plainCounts, minutes: 12 },
      { command: 'npm run test:next', count: plainCounts, minutes: 12 },
      { command: 'npm run test:docs', count: plainCounts, minutes: 8 },
      { command: 'npm run demo -- --queue amqp', count: exitCount, minutes: 8 },
      { command: 'npm run demo -- --queue bullmq', count: exitCount, minutes: 8 },
      { command: 'npm run test:walkthrough -- --ci', count: plainCounts, minutes: 12 },
      { command: 'npm run test:console -- --ci', count: plainCounts, minutes: 12 },
      { command: 'npm run test:recipes', count: plainCounts, minutes: 8 },
    ],
  ],
]

const total = { passed: 0, failed: 0, skipped: 0 }
for (const step of steps) await (Array.isArray(step) ? Promise.all(step.map(takeAll)) : take(step))
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`)
process.exitCode = total.failed === 0 ? 0 : 1

async function takeAll(steps) {
  for (const step of steps) await take(step)
}

async function take({ command, count, minutes }) {
  const started = Date.now()
  console.log(`\n== ${command}`)
  const { code, output } = await run(command, minutes)
  const counts = count(output, code)
  if (code !== 0 && counts.failed === 0) counts.failed = 1
  if (counts.passed + counts.failed + counts.skipped === 0) counts.failed = 1
  for (const key of Object.keys(total)) total[key] += counts[key]
  const seconds = Math.round((Date.now() - started) / 1000)
  console.log(
    `== ${command}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, ${seconds} s`,
  )
}

function run(command, minutes) {
  return new Promise(resolve => {
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const late = setTimeout(() => {
      console.log(`== ${command} does not end within ${minutes} minutes`)
      process.kill(-child.pid, 'SIGKILL')
    }, minutes * 60_000)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        output += chunk
        process.stdout.write(chunk)
      })
    }
    child.on('close', code => {
      clearTimeout(late)
      resolve({ code, output })
    })
  })
}

/** tap's closing line: `# { total: 3, pass: 2, fail: 1, skip: 0 }`. */
function tapCounts(output) {
  const line = [...output.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? ''
  const number = key => Number(new RegExp(`\\b${key}: (\\d+)`).exec(line)?.[1] ?? 0)
  return { passed: number('pass'), failed: number('fail'), skipped: number('skip') + number('todo') }
}

/** `what: 3 passed, 1 failed, 2 skipped`, the last such line of a command. */
function plainCounts(output) {
  const found = [...output.matchAll(/(\d+) passed, (\d+) failed(?:, (\d+) skipped)?/g)].at(-1) ?? []
  return { passed: Number(found[1] ?? 0), failed: Number(found[2] ?? 0), skipped: Number(found[3] ?? 0) }
}

/** A command that is one check. */
function exitCount(_output, code) {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
}
