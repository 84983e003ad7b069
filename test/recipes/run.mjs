// The recipes of examples/recipes, with the packages of this repository: programs print what their READMEs say, files are what
// their schemas ask for. What needs a server or a program that is not here counts as skipped.
//
//   npm run test:recipes
//   npm run test:recipes -- --only 'jest|pnpm'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { parse } from 'yaml'
import { installLocked } from '../ecosystem/install.mjs'
import { findKafka, startKafka } from '../servers/kafka/start.mjs'
import { freePorts } from '../servers/loopback-server.mjs'
import { findRedis, startRedis } from '../servers/redis/start.mjs'
import { applicationProblems, composeProblems, helmProblems, workflowProblems } from './files.mjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const recipes = `${root}examples/recipes`
const copies = `${root}test/.cache/recipes`
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = new RegExp(values.only ?? '')
/** A program that says nothing for so long has failed. */
const LONGEST_MS = 300_000

const RECIPES = {
  'express-axios-jest': async () => {
    const place = copyOf('express-axios-jest')
    await prints(place, 'express-axios-jest', ['node', 'start.js', '--once'])
    const tests = await run(place, ['npm', 'test', '--silent'])
    if (!/Tests: +3 passed, 3 total/.test(tests)) throw new Error(tests)
  },
  'fastify-kafka': () =>
    withServer(findKafka, startKafka, kafka =>
      prints(copyOf('fastify-kafka'), 'fastify-kafka', ['node', 'start.js'], { KAFKA: kafka.address }),
    ),
  'nest-nacos-bullmq': () =>
    withServer(findRedis, startRedis, redis => {
      const place = copyOf('nest-nacos-bullmq')
      return prints(place, 'nest-nacos-bullmq', ['node', 'start.js'], { REDIS_PORT: String(redis.port) })
    }),
  'pnpm-monorepo': async () => {
    const place = copyOf('pnpm-monorepo', { modules: false })
    // The packages are not published yet, or not in this state.
    const links = packages().map(([name, target]) => `  '${name}': link:${target}`)
    writeFileSync(
      `${place}/pnpm-workspace.yaml`,
      `${readFileSync(`${place}/pnpm-workspace.yaml`, 'utf8')}overrides:\n${links.join('\n')}\n`,
    )
    const pnpm = ['node', `${folder}node_modules/pnpm/bin/pnpm.cjs`]
    await run(place, [...pnpm, 'install', '--no-frozen-lockfile'])
    await prints(place, 'pnpm-monorepo', [...pnpm, '--silent', 'start'])
  },
  'docker-compose': async () => {
    const compose = parse(readFileSync(`${recipes}/docker-compose/compose.yaml`, 'utf8'), { merge: true })
    const problems = await composeProblems(compose)
    await containersAsProcesses(compose)
    return problems
  },
  helm: () => helmProblems(`${recipes}/helm`),
  'lane-per-pull-request': () => workflowProblems(`${recipes}/lane-per-pull-request/.github/workflows/lane.yml`),
  kubevela: () => applicationProblems(`${root}examples/end-to-end-canary/k8s/kubevela/application.yaml`),
}

await installLocked(folder)
link(`${folder}node_modules`)
const counts = { passed: 0, failed: 0, skipped: 0 }
for (const [name, prove] of Object.entries(RECIPES)) {
  if (!only.test(name)) continue
  const started = Date.now()
  try {
    const skipped = await prove()
    counts[skipped === undefined ? 'passed' : 'skipped']++
    const seconds = Math.round((Date.now() - started) / 1000)
    console.log(skipped === undefined ? `ok      ${name} (${seconds} s)` : `skipped ${name}: ${skipped}`)
  } catch (error) {
    counts.failed++
    console.log(`FAILED  ${name}: ${error.message}`)
  }
}
for (const name of readdirSync(recipes)) {
  if (name === 'README.md' || name in RECIPES) continue
  counts.failed++
  console.log(`FAILED  ${name}: no test here`)
}
console.log(`recipes: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed === 0 ? 0 : 1

/** The packages of this repository: name and folder. */
function packages() {
  const names = readdirSync(`${root}packages`).filter(name => existsSync(`${root}packages/${name}/dist`))
  return names.map(name => [name === 'laneway' ? name : `@laneway/${name}`, `${root}packages/${name}`])
}

function link(modules) {
  for (const [name, target] of [...packages(), ['tsx', `${root}node_modules/tsx`]]) {
    mkdirSync(dirname(`${modules}/${name}`), { recursive: true })
    rmSync(`${modules}/${name}`, { recursive: true, force: true })
    // Through a link it would find the Nest of this repository in place of the one beside it.
    if (name === '@laneway/nestjs') {
      for (const part of ['package.json', 'dist'])
        cpSync(`${target}/${part}`, `${modules}/${name}/${part}`, { recursive: true })
    } else symlinkSync(target, `${modules}/${name}`, 'junction')
  }
}

function copyOf(name, { modules = true } = {}) {
  const copy = `${copies}/${name}`
  rmSync(copy, { recursive: true, force: true })
  cpSync(`${recipes}/${name}`, copy, { recursive: true })
  if (modules) symlinkSync(`${folder}node_modules`, `${copy}/node_modules`, 'junction')
  return copy
}

async function withServer(find, start, fn) {
  const problem = await find()
  if (problem !== undefined) return problem
  const server = await start()
  try {
    await fn(server)
  } finally {
    await server.stop()
  }
}

/** Runs a program until it has printed the output of its README, in any order. */
async function prints(place, name, command, env = {}) {
  const readme = readFileSync(`${recipes}/${name}/README.md`, 'utf8')
  const lines = /\n```\n([^`]+)\n```\n/.exec(readme)[1].split('\n')
  await run(place, command, env, output => lines.every(line => output.split('\n').includes(line)))
}

/** Runs a command to its end, or until `isEnough` says so. Resolves with what it printed. */
function run(cwd, [file, ...args], env = {}, isEnough = undefined) {
  return new Promise((resolve, reject) => {
    const child = spawn(file === 'node' ? process.execPath : file, args, {
      cwd,
      env: { ...process.env, CI: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    let isDone = false
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // All of it has ended already.
      }
    }
    const late = setTimeout(end, LONGEST_MS)
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        output += chunk
        if (isDone || isEnough?.(output) !== true) return
        isDone = true
        end()
      })
    }
    child.once('error', reject)
    child.once('close', code => {
      clearTimeout(late)
      end()
      if (isDone || (code === 0 && isEnough === undefined)) resolve(output)
      else reject(new Error(`${[file, ...args].join(' ')} ended with ${code}\n${output}`))
    })
  })
}

/** Starts what the Compose file builds as processes with the environment of the containers, and sends two requests. */
async function containersAsProcesses({ services }) {
  const place = copyOf('docker-compose')
  const command = JSON.parse(/^CMD (.+)$/m.exec(readFileSync(`${place}/Dockerfile`, 'utf8'))[1])
  const nacos = await createNacosDevServer({ port: 0 }).start()
  const children = []
  try {
    const own = Object.entries(services).filter(([, { build }]) => build !== undefined)
    const ports = await freePorts(own.length)
    for (const [index, [, { environment }]] of own.entries()) {
      const env = { ...environment, LANEWAY_NACOS: nacos.address, PORT: String(ports[index]) }
      children.push(spawn(process.execPath, command.slice(1), { cwd: place, env: { ...process.env, ...env } }))
    }
    await nacos.until(({ instances }) => instances('web').length === 1 && instances('orders').length === 2, 60_000)
    const web = `http://127.0.0.1:${ports[own.findIndex(([name]) => name === 'web')]}/`
    let said = ''
    for (const headers of [{}, { 'x-mse-tag': 'gray' }]) said += await (await fetch(web, { headers })).text()
    const readme = readFileSync(`${place}/README.md`, 'utf8')
    if (!readme.includes(`\`\`\`\n${said}\`\`\`\n`)) throw new Error(`the README does not say\n${said}`)
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await nacos.close()
  }
}
