// @laneway/testing in the test runners and beside the mocks that people use; the blocks of the guide for Koa, Hono and h3.
//
//   npm run test:testing                    everything
//   npm run test:testing -- --only=vitest   what has this in its name
//
// In each runner: three test files side by side that fake the same service, with their own clients and under register, and one
// whose tests all have to fail with the right words. A run that does not end by itself has left a handle open.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installLocked } from '../ecosystem/install.mjs'
import suites from './suites.cjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
/** Written for a run. Below this folder, so that its libraries are found. */
const files = join(folder, '.files')
const only = /^--only=(.+)$/.exec(process.argv[2] ?? '')?.[1]
if (process.argv.length > 2 && only === undefined) {
  console.error('there is --only=<part of a name>')
  process.exit(2)
}

const PRELOAD = '--import @laneway/testing/register'
const ESM = "import suites from '../../../suites.cjs'\nimport * as testing from '@laneway/testing'\n"
const jest = (...flags) => [
  ...flags,
  join(folder, 'node_modules/jest/bin/jest.js'),
  '--watchman=false',
  '--cache=false',
]
const vitest = (...flags) => [join(folder, 'node_modules/vitest/vitest.mjs'), 'run', '--no-cache', ...flags]

/** `failed`: finds the number of failed tests in the output, `passed` that of the others. */
const RUNNERS = [
  {
    name: 'Jest, CommonJS',
    suffix: 'cjs',
    head: "const suites = require('../../../suites.cjs')\nconst testing = require('@laneway/testing')\n",
    config: [
      'jest.config.json',
      JSON.stringify({ transform: {}, testMatch: ['**/*.test.*'], moduleFileExtensions: ['js', 'cjs', 'mjs', 'json'] }),
    ],
    command: () => jest(),
    sideBySide: ['--maxWorkers=2'],
    handles: ['--detectOpenHandles'],
    passed: /^Tests:.* (\d+) passed/m,
    failed: /^Tests: +(\d+) failed/m,
  },
  {
    name: 'Jest, ES modules',
    suffix: 'mjs',
    head: ESM,
    config: [
      'jest.config.json',
      JSON.stringify({ transform: {}, testMatch: ['**/*.test.*'], moduleFileExtensions: ['js', 'cjs', 'mjs', 'json'] }),
    ],
    command: () => jest('--experimental-vm-modules'),
    sideBySide: ['--maxWorkers=2'],
    handles: ['--detectOpenHandles'],
    passed: /^Tests:.* (\d+) passed/m,
    failed: /^Tests: +(\d+) failed/m,
  },
  ...['forks', 'threads'].map(pool => ({
    name: `Vitest, ${pool}`,
    suffix: 'mjs',
    head: `${ESM}import { test } from 'vitest'\n`,
    command: () => vitest(`--pool=${pool}`, '--maxWorkers=2'),
    passed: /^ *Tests .*?(\d+) passed/m,
    failed: /^ *Tests .*?(\d+) failed/m,
  })),
  {
    name: 'node:test',
    suffix: 'mjs',
    head: `${ESM}import { test } from 'node:test'\n`,
    command: () => ['--test', '--test-reporter=tap', '--test-concurrency=2'],
    passed: /^# pass (\d+)/m,
    failed: /^# fail (\d+)/m,
  },
  {
    name: 'tap',
    suffix: 'mjs',
    head: `${ESM}import { test } from 'tap'\n`,
    command: () => [
      join(root, 'node_modules/tap/dist/esm/run.mjs'),
      '--disable-coverage',
      '--jobs=2',
      '--reporter=tap',
    ],
    passed: /^# \{ total: .*pass: (\d+)/m,
    failed: /^# \{ total: .*fail: (\d+)/m,
  },
]

const counts = { passed: 0, failed: 0 }

function report(where, problem) {
  counts[problem === undefined ? 'passed' : 'failed']++
  console.log(problem === undefined ? `ok   ${where}` : `FAIL ${where}: ${problem}`)
}

/** @returns what it printed; its code is `undefined` when it did not end by itself */
function run(args, { cwd, env = {} }) {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', FORCE_COLOR: '0', CI: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
  const late = setTimeout(() => child.kill('SIGKILL'), 180_000)
  return new Promise(resolve => {
    child.on('close', code => {
      clearTimeout(late)
      resolve({ code: code ?? undefined, output })
    })
  })
}

/** Runs test files of one suite in a folder of their own. */
async function play(runner, suite, count, { more = [], env } = {}) {
  const place = join(files, runner.name.replaceAll(/\W+/g, '-'), suite)
  mkdirSync(place, { recursive: true })
  const names = Array.from({ length: count }, (_, index) => join(place, `${suite}-${index}.test.${runner.suffix}`))
  for (const name of names) writeFileSync(name, `${runner.head}\nsuites.${suite}(test, testing)\n`)
  writeFileSync(join(place, 'package.json'), '{}')
  if (runner.config !== undefined) writeFileSync(join(place, runner.config[0]), runner.config[1])
  const { code, output } = await run([...runner.command(), ...more, ...names], { cwd: place, env })
  const number = pattern => Number(pattern.exec(output)?.[1] ?? 0)
  return { code, output, passed: number(runner.passed), failed: number(runner.failed) }
}

async function playAll(runner) {
  const right = ({ code, output, passed, failed }, expected) => {
    if (code === undefined) return `does not end\n${output}`
    if (/open handle/i.test(output)) return `leaves a handle\n${output}`
    return code === 0 && failed === 0 && passed >= expected ? undefined : `${passed} passed, code ${code}\n${output}`
  }
  const more = runner.sideBySide
  report(`${runner.name}: three files side by side`, right(await play(runner, 'passes', 3, { more }), 6))
  const env = { NODE_OPTIONS: PRELOAD }
  report(`${runner.name}: the same under register`, right(await play(runner, 'registered', 3, { more, env }), 6))
  if (runner.handles !== undefined) {
    const detected = await play(runner, 'registered', 2, { more: runner.handles, env })
    report(`${runner.name}: ${runner.handles}`, right(detected, 4))
  }
  const { code, output, failed } = await play(runner, 'fails', 1)
  const missing = suites.FAILURES.filter(message => !output.includes(message))
  const fails = code !== undefined && code !== 0 && failed >= suites.FAILURES.length && missing.length === 0
  report(`${runner.name}: what must fail fails`, fails ? undefined : `${failed} failed, without ${missing}\n${output}`)
}

/** The first block behind each heading is a program, the second what it prints. */
async function playGuide(name) {
  const text = readFileSync(join(root, 'docs/guides', name), 'utf8')
  const blocks = [...text.matchAll(/^```(js|)\n([\s\S]*?)^```$/gm)]
  const programs = blocks.filter(([, language]) => language === 'js')
  for (const [index, program] of programs.entries()) {
    const printed = blocks[blocks.indexOf(program) + 1][2]
    const file = join(files, 'guides', `${index}.mjs`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, program[2])
    const { code, output } = await run([file], { cwd: folder })
    report(`${name}: ${printed.trim()}`, code === 0 && output === printed ? undefined : output)
  }
  if (programs.length === 0) report(name, 'has no program')
}

async function playTools(env) {
  const { code, output } = await run(['--test', '--test-reporter=tap', 'tools.test.mjs'], { cwd: folder, env })
  const number = name => Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(output)?.[1] ?? 0)
  const problem = code === 0 && number('pass') > 5 ? undefined : output
  report(`supertest, inject, nock, msw, MockAgent${env === undefined ? '' : ', under register'}`, problem)
}

const chosen = name => only === undefined || name.toLowerCase().includes(only.toLowerCase())
await installLocked(folder)
rmSync(files, { recursive: true, force: true })
try {
  for (const runner of RUNNERS) if (chosen(runner.name)) await playAll(runner)
  if (chosen('tools')) {
    await playTools()
    await playTools({ NODE_OPTIONS: PRELOAD })
  }
  if (chosen('guide')) await playGuide('koa-hono-h3.md')
} finally {
  rmSync(files, { recursive: true, force: true })
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1
