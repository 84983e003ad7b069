// Three services that start at the same moment, find each other without any list of services, and have a DNS that answers
// base for every name: the first calls of every process must be in the right lane.
//   npm run test:first-call [-- nacos3 nacos2 kubernetes] [--short] [--broken]
//   --short     2 starts of 200 requests instead of 10 starts of 1,000
//   --broken    calls do not wait for the registry; then the run must fail, which it says by exit code 1
// Prints a line for each registry and ends with counts of starts. A registry that cannot be had here is named, and its starts
// count as skipped.
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, broken: { type: 'boolean', default: false } },
})
const starts = values.short ? 2 : 10
const requests = values.short ? 200 : 1000
const LATE_MS = 10_000
const file = name => fileURLToPath(new URL(name, import.meta.url))
const kinds = positionals.length === 0 ? ['nacos3', 'kubernetes'] : positionals

if (process.env.LANEWAY_FIRST_CALL_COUNTS === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-first-call-'))
  const file = join(folder, 'counts')
  appendFileSync(file, '')
  // Each in a process of its own: Kubernetes needs a network namespace.
  for (const kind of kinds) {
    const { status } = spawnSync(process.execPath, [...process.argv.slice(1, 2), kind, ...flags()], {
      stdio: 'inherit',
      env: { ...process.env, LANEWAY_FIRST_CALL_COUNTS: file },
    })
    if (status !== 0) process.exitCode = 1
  }
  const told = readFileSync(file, 'utf8')
  rmSync(folder, { recursive: true })
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const line of told.trim().split('\n').filter(Boolean)) total[line]++
  // A process that ended early has told of fewer starts than there were to be.
  const missing = kinds.length * starts * 2 - total.passed - total.failed - total.skipped
  console.log(`${total.passed} passed, ${total.failed + missing} failed, ${total.skipped} skipped`)
  if (total.failed + missing > 0) process.exitCode = 1
} else await runKind(kinds[0])

/** Counts starts of this process for the one that prints the sum. */
function tell(outcome, count = 1) {
  appendFileSync(process.env.LANEWAY_FIRST_CALL_COUNTS, `${outcome}\n`.repeat(count))
}

function skip(kind, why) {
  console.log(`${kind}: skipped: ${why}`)
  tell('skipped', starts * 2)
}

function flags() {
  return Object.entries(values).flatMap(([name, on]) => (on ? [`--${name}`] : []))
}

async function runKind(kind) {
  if (kind === 'kubernetes') {
    const { installControlPlane } = await import('../servers/kubernetes/install.mjs')
    const { NAMESPACE_HOST, runInNetworkNamespace } = await import('../servers/kubernetes/registry.mjs')
    const problem = installControlPlane() ?? runInNetworkNamespace()
    if (problem === true) return
    if (typeof problem === 'string') return skip(kind, problem)
    for (let index = 1; index <= 5; index++) {
      const address = NAMESPACE_HOST.replace(/\d+$/, String(10 + index))
      spawnSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo'])
    }
  }
  const { createKubernetes, createNacos } = await import('./registries.mjs')
  let registry
  try {
    registry = kind === 'kubernetes' ? await createKubernetes() : await createNacos(kind)
  } catch (error) {
    return skip(kind, error.message)
  }
  const counts = { requests: 0, wrong: 0, failed: 0 }
  try {
    for (const late of [false, true]) {
      for (let turn = 0; turn < starts; turn++) {
        const before = counts.wrong + counts.failed
        await oneStart(registry, turn, late, counts)
        tell(counts.wrong + counts.failed === before ? 'passed' : 'failed')
      }
      console.log(
        `${kind}: ${late ? 'registry 10 s late' : 'all at once'}: ${starts} starts so far: ${JSON.stringify(counts)}`,
      )
    }
  } finally {
    await registry.stop()
  }
  console.log(`${kind}: ${counts.wrong + counts.failed === 0 ? 'passed' : 'FAILED'}: ${JSON.stringify(counts)}`)
  if (counts.wrong + counts.failed > 0) process.exitCode = 1
}

async function oneStart(registry, turn, late, counts) {
  const { freePort } = await import('./registries.mjs')
  const world = await registry.fresh()
  // A port that all instances share, as pods do; the names are new to every registry.
  const port = await freePort(registry.addressOf(1))
  const name = letter => `first-${letter}-${process.pid}-${late ? 'late' : 'now'}-${turn}`
  const instances = [
    { letter: 'a', tag: '' },
    { letter: 'b', tag: '' },
    { letter: 'b', tag: 'gray' },
    { letter: 'c', tag: '' },
    { letter: 'c', tag: 'gray' },
  ].map(({ letter, tag }, index) => ({
    letter,
    tag,
    port,
    service: name(letter),
    address: registry.addressOf(index + 1),
  }))
  const dns = instances.filter(({ tag }) => tag === '').map(({ service, address }) => `${service}=${address}`)
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const children = []
  let entry
  try {
    if (!late) await world.up()
    await Promise.all(
      instances.map(async instance => {
        const child = await startService(instance, instances, dns, world, turn)
        children.push(child)
        if (instance === instances[0]) entry = child
        await world.add(instance)
      }),
    )
    if (late) {
      const upAt = performance.now() + LATE_MS
      // The registry is down, so every call goes where DNS says: to base. None of them may fail.
      while (performance.now() < upAt) {
        await load(instances[0], agent, 30, counts, isServed)
        await sleep(200)
      }
      await world.up()
    }
    await until(() => world.lists(instances), 'the registry lists all instances')
    // While a service learns of a registry that came back, its calls are where they were without Laneway.
    if (late) {
      await until(
        async () => isRight('gray', await call(instances[0], agent, 'gray')),
        'calls are in their lane',
        () => load(instances[0], agent, 30, counts, isServed),
      )
    }
    // The first call of a process comes the moment it serves, and the registry has had all the others for a while.
    if (!late) {
      await stop(entry)
      children.push(await startService(instances[0], instances, dns, world, turn))
    }
    await load(instances[0], agent, requests, counts, isRight)
  } finally {
    agent.destroy()
    await Promise.all(children.map(stop))
    await world.close()
  }
}

async function startService(instance, instances, dns, world, turn) {
  const { letter, tag, service, address, port } = instance
  const next = letter === 'a' ? 'b' : letter === 'b' ? 'c' : undefined
  const nextName = instances.find(one => one.letter === next)?.service
  const child = spawn(
    process.execPath,
    ['--require', file('base-dns.cjs'), '--import', '@laneway/register', file('service.mjs')],
    {
      env: {
        PATH: process.env.PATH,
        BASE_DNS: dns.join(),
        SELF: `${letter}:${tag === '' ? 'base' : tag}`,
        HOST: address,
        PORT: String(port),
        CLIENT: turn % 2 === 0 ? 'http' : 'fetch',
        LANEWAY_TAG: tag,
        LANEWAY_LEAVE_DELAY_MS: '0',
        ...(nextName !== undefined && { NEXT: `http://${nextName}:${port}/` }),
        ...(values.broken && { LANEWAY_LOOKUP_TIMEOUT_MS: '0' }),
        ...world.environment({ service }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let errors = ''
  child.stderr.on('data', chunk => (errors = (errors + chunk).slice(-2000)))
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('exit', code => reject(new Error(`${service} ended with ${code}: ${errors}`)))
  })
  return child
}

/** Requests of gray, of a lane that no service has, and of none, eight at a time. */
async function load(entry, agent, count, counts, isGood) {
  let sent = 0
  const worker = async () => {
    while (sent < count) {
      const lane = ['gray', 'blue', undefined][sent++ % 3]
      const answer = await call(entry, agent, lane)
      counts.requests++
      if (answer.startsWith('200 ') && isGood(lane, answer)) continue
      if (answer.startsWith('200 ')) counts.wrong++
      else counts.failed++
      if (counts.wrong + counts.failed <= 5) console.log(`  ${lane}: ${answer}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

function isRight(lane, answer) {
  const at = lane === 'gray' ? 'gray' : 'base'
  const tag = lane ?? '-'
  return answer === `200 a:base[${tag}] b:${at}[${tag}] c:${at}[${tag}]`
}
/** Without a registry: the tag is kept, whatever instance serves. */
function isServed(lane, answer) {
  const tag = lane ?? '-'
  const other = lane === 'gray' ? '(base|gray)' : 'base'
  return new RegExp(`^200 a:base\\[${tag}\\] b:${other}\\[${tag}\\] c:${other}\\[${tag}\\]$`).test(answer)
}

function call({ address, port }, agent, lane) {
  return new Promise(resolve => {
    const headers = lane === undefined ? {} : { 'x-mse-tag': lane }
    get({ host: address, port, agent, headers }, async response => {
      resolve(`${response.statusCode} ${(await response.setEncoding('utf8').toArray()).join('')}`)
    }).on('error', error => resolve(String(error)))
  })
}

async function until(check, what, meanwhile = () => sleep(50), timeoutMs = 60_000) {
  const end = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await meanwhile()
  }
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}
