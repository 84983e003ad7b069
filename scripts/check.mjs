// `npm run check`: everything that is not a test. Each step prints one line; the first lines of what failed follow.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { packages } from './build.mjs'
import { typePairs } from './type-pairs.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = name => `${root}node_modules/.bin/${name}`

const steps = [
  { name: 'types', command: [bin('tsc'), '--noEmit'] },
  { name: 'types: console page', command: [bin('tsc'), '-p', 'packages/console/page'] },
  { name: 'lint and format', command: [bin('biome'), 'ci', '--error-on-warnings', '.'] },
  { name: 'manifests', command: [process.execPath, 'examples/end-to-end-canary/k8s/generate.mjs', '--check'] },
  { name: 'kubevela', command: [process.execPath, 'examples/end-to-end-canary/k8s/kubevela.mjs', '--check'] },
  { name: 'settings', command: ['npm', 'run', '--silent', 'settings', '--', '--check'] },
  { name: 'public surface', command: [process.execPath, 'scripts/api.mjs', '--check'] },
  ...typePairs().map(({ name, folder }) => ({ name: `types: ${name}`, command: [bin('tsc'), '-p', folder] })),
  ...[...packages().keys()].flatMap(name => packaging(name)),
]

function packaging(name) {
  const folder = `${root}packages/${name}`
  return [
    { name: `${name}: packed files`, command: [process.execPath, 'scripts/packed-files.mjs', name] },
    { name: `${name}: publint`, command: [bin('publint'), '--strict', folder] },
    {
      name: `${name}: attw`,
      command: [bin('attw'), '--pack', folder, '--profile', 'node16', '--no-emoji', '--no-color'],
    },
  ]
}

function run({ command: [file, ...args] }) {
  return new Promise(resolve => {
    const child = spawn(file, args, { cwd: root, shell: process.platform === 'win32' })
    let output = ''
    child.stdout.on('data', chunk => (output += chunk))
    child.stderr.on('data', chunk => (output += chunk))
    child.on('error', error => resolve({ code: 1, output: String(error) }))
    child.on('close', code => resolve({ code, output }))
  })
}

const only = process.argv[2] === undefined ? undefined : new RegExp(process.argv[2])
const queue = steps.filter(({ name }) => only === undefined || only.test(name))
let passed = 0
let failed = 0
let skipped = 0
/** What a step ends with that lacks a program. */
const SKIPPED = 77
async function worker() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const { code, output } = await run(step)
    if (code === 0) {
      passed++
      console.log(`ok      ${step.name}`)
    } else if (code === SKIPPED) {
      skipped++
      console.log(`skipped ${step.name}: ${output.trim()}`)
    } else {
      failed++
      console.log(`FAILED  ${step.name}\n${output.split('\n').slice(0, 60).join('\n')}`)
    }
  }
}
await Promise.all([worker(), worker()])
console.log(`check: ${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed === 0 ? 0 : 1
