// `node test/docs/minute.mjs [majors]`: pastes the minute of the root README into an empty folder, on Node 20 and 24. Its
// `npm install` lines get packs of this checkout, since nothing is published. What follows has to take less than a minute.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { packages } from '../../scripts/build.mjs'
import { nodeBinary } from '../../scripts/node-versions.mjs'
import { root, textOf } from '../../site/pages.mjs'
import { blocksOf, isInstall } from './blocks.mjs'
import { playPage } from './session.mjs'

const LIMIT_MS = 60_000
const readme = textOf('README.md')
const majors = process.argv.length > 2 ? process.argv.slice(2) : ['20', '24']
const folder = mkdtempSync(join(tmpdir(), 'laneway-minute-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const counts = { passed: 0, failed: 0 }
const packs = packAll(namesIn(readme))
for (const major of majors) await paste(major)
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1

async function paste(major) {
  const app = join(folder, `node-${major}`)
  const node = await nodeBinary(Number(major))
  const env = { PATH: [dirname(node), process.env.PATH].join(delimiter), NODE_OPTIONS: '' }
  let installMs = 0
  const started = Date.now()
  const install = lines => {
    const begun = Date.now()
    for (const line of lines.trim().split('\n')) {
      const [, ...words] = line.split(' ')
      const args = words.map(word => (packs.has(word) ? `file:${packs.get(word)}` : word))
      execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: app,
        env: { ...process.env, ...env },
      })
    }
    installMs += Date.now() - begun
  }
  // A pack depends on its siblings by version, and these are not on npm yet.
  const overrides = Object.fromEntries([...packs].map(([name, file]) => [name, `file:${file}`]))
  const begin = () => writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, overrides }))
  const { results, unasked } = await playPage(readme, { folder: app, env, install, begin })
  const ms = Date.now() - started - installMs
  const wrong = results.filter(({ ok }) => !ok).map(({ line, seen }) => `$ ${line}\n${seen}`)
  if (unasked !== '') wrong.push(unasked)
  if (ms >= LIMIT_MS) wrong.push('it takes longer than a minute')
  counts[wrong.length === 0 ? 'passed' : 'failed']++
  const seconds = value => `${(value / 1000).toFixed(1)} s`
  console.log(
    `${wrong.length === 0 ? 'ok    ' : 'FAILED'}  Node ${major}: ${results.length} commands in ${seconds(ms)}, after ${seconds(installMs)} of installing`,
  )
  for (const text of wrong) console.log(text)
}

/** The packages that its install lines name, and what they need. */
function namesIn(page) {
  const all = packages()
  const names = new Set()
  const visit = name => {
    if (names.has(name)) return
    names.add(name)
    for (const needed of all.get(name) ?? []) visit(needed)
  }
  for (const { text } of blocksOf(page).filter(isInstall))
    for (const [, name] of text.matchAll(/@laneway\/([\w-]+)/g)) visit(name)
  return names
}

/** @returns {Map<string, string>} package -> file */
function packAll(names) {
  const place = join(folder, 'packs')
  mkdirSync(place)
  return new Map(
    [...names].map(name => {
      const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', place]
      const output = execFileSync('npm', args, {
        cwd: join(root, 'packages', name),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const [packed] = Object.values(JSON.parse(output))
      return [packed.name, join(place, packed.filename)]
    }),
  )
}
