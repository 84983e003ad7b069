// Next 15 and 16 under @laneway/register: `next start`, the standalone server, a server of one's own. No request of base may get
// what a request of a lane has seen, out of no cache of Next.
//
//   npm run test:next                all of it: some minutes, most of them for the two builds
//   npm run test:next -- --only=16   what has this in its name
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installLocked } from '../ecosystem/install.mjs'
import { freePorts } from '../servers/loopback-server.mjs'

const here = fileURLToPath(new URL('./', import.meta.url))
const only = /^--only=(.+)$/.exec(process.argv[2] ?? '')?.[1]
if (process.argv.length > 2 && only === undefined) {
  console.error('there is --only=<part of a name>')
  process.exit(2)
}

const OWN = 'a request of the lane gets the answer of the lane'
const SHARED = 'what Next keeps for everybody is made in no lane'
/** Each path, and what a gray request has to get. */
const PATHS = {
  live: OWN,
  rendered: OWN,
  props: OWN,
  cached: OWN,
  revalidated: OWN,
  unstable: SHARED,
  used: SHARED,
  kept: SHARED,
  static: SHARED,
  '_next/image?w=64&q=75&url=http://sc-c/picture': SHARED,
  '_next/image?w=64&q=75&url=/picture': SHARED,
}

/** The first bytes of an icon: Next keeps it as it is. */
const ICON = Buffer.of(0, 0, 1, 0)

const SERVERS = [
  ['next start', () => ['../node_modules/next/dist/bin/next', 'start', '--hostname', '127.0.0.1']],
  ['standalone', () => ['.next/standalone/.app/server.js']],
  ['a server of its own', () => ['server.mjs']],
]

const counts = { passed: 0, failed: 0 }

function check(what, problem) {
  counts[problem === undefined ? 'passed' : 'failed']++
  console.log(problem === undefined ? `ok   ${what}` : `FAIL ${what}: ${problem}`)
}

/** An instance that says who it is, and counts its answers so that no two are the same. */
async function instance(name) {
  let count = 0
  const server = createServer((request, response) => {
    if (request.url === '/picture') response.setHeader('content-type', 'image/x-icon').write(ICON)
    response.end(` ${name} number ${++count}`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** What a path answers: `base` or `gray`. */
async function ask(port, path, tag) {
  const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
  const text = await (await fetch(`http://127.0.0.1:${port}/${path}`, { headers })).text()
  return /\b(base|gray) number \d+/.exec(text)?.[1] ?? `no answer: ${text.slice(0, 300)}`
}

async function checkPath(where, port, path, expected) {
  // Gray first into an empty cache, then both at once, while what is kept gets old and is made again.
  const tags = ['gray', undefined]
  const seen = { gray: new Set(), base: new Set() }
  for (let round = 0; round < 8; round++) {
    const order = round < 2 ? [tags[round]] : [...tags, ...tags, ...tags]
    const answers = await Promise.all(order.map(tag => ask(port, path, tag)))
    for (const [index, tag] of order.entries()) seen[tag ?? 'base'].add(answers[index])
    await new Promise(resolve => setTimeout(resolve, 300))
  }
  const right = new Set([expected === OWN ? 'gray' : 'base'])
  const same = (a, b) => [...a].join() === [...b].join()
  const ok = same(seen.base, new Set(['base'])) && same(seen.gray, right)
  check(`${where}: /${path}: ${expected}`, ok ? undefined : `base got ${[...seen.base]}; gray got ${[...seen.gray]}`)
}

/** Pages that are made at build time call services, too. */
async function build(cwd, env) {
  const args = ['--import', '@laneway/register', '../node_modules/next/dist/bin/next', 'build']
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`next build ended with ${code}: ${output}`)
}

async function start(args, env, cwd) {
  const [port] = await freePorts(1)
  const child = spawn(process.execPath, ['--import', '@laneway/register', ...args], {
    cwd,
    env: { ...env, PORT: `${port}`, HOSTNAME: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended: ${output}`)
    const answer = await fetch(`http://127.0.0.1:${port}/live`).catch(() => undefined)
    await answer?.text()
    if (answer !== undefined) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  return {
    port,
    output: () => output,
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function checkMajor(major) {
  const folder = join(here, major)
  await installLocked(`${folder}/`)
  const app = join(folder, '.app')
  rmSync(app, { recursive: true, force: true })
  cpSync(join(here, 'app'), app, { recursive: true })
  const instances = [await instance('base'), await instance('gray')]
  const [base, gray] = instances.map(server => ({ host: '127.0.0.1', port: server.address().port }))
  const file = join(app, 'endpoints.json')
  writeFileSync(file, JSON.stringify({ services: { 'sc-c': [base, { ...gray, tags: ['gray'] }] } }))
  const env = { ...process.env, LANEWAY_ENDPOINTS_FILE: file, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }
  try {
    for (const [name, args] of SERVERS) {
      const where = `Next ${major}, ${name}`
      if (only !== undefined && !where.includes(only)) continue
      // Anew for each: what a server keeps lies in the folder of the build.
      const kept = join(app, '.next')
      const built = join(app, '.built')
      if (!builds.has(major)) {
        await build(app, env)
        builds.add(major)
        cpSync(kept, built, { recursive: true })
      } else {
        rmSync(kept, { recursive: true, force: true })
        cpSync(built, kept, { recursive: true, verbatimSymlinks: true })
      }
      const server = await start(args(), env, app)
      try {
        for (const [path, expected] of Object.entries(PATHS)) await checkPath(where, server.port, path, expected)
        check(`${where}: no warning`, /LanewayWarning|had a fault/.test(server.output()) ? server.output() : undefined)
      } finally {
        await server.stop()
      }
    }
  } finally {
    for (const server of instances) server.close()
  }
}

const builds = new Set()
for (const major of ['15', '16']) {
  if (only === undefined || SERVERS.some(([name]) => `Next ${major}, ${name}`.includes(only))) await checkMajor(major)
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exit(counts.failed === 0 ? 0 : 1)
