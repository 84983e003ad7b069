// Pastes the minute of the root README into an empty folder, on Node 20 and 24. Its
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
const MAJORS = [20, 24]

export async function pasteMinute(check) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-minute-'))
  try {
    const packs = packAll(namesIn(readme), folder)
    for (const major of MAJORS) await paste(major, folder, packs, check)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const readme = textOf('README.md')

async function paste(major, folder, packs, check) {
  const app = join(folder, `node-${major}`)
  const node = await nodeBinary(major)
  if (node === undefined) return console.log(`skipped  Node ${major} cannot be had here`)
  const env = { PATH: [dirname(node), process.env.PATH].join(delimiter), NODE_OPTIONS: '' }
  let installMs = 0
  const started = Date.now()
  // A pack depends on its siblings by version, and these are not on npm yet.
  const overrides = Object.fromEntries([...packs].map(([name, file]) => [name, `file:${file}`]))
  const dependencies = {}
  const install = lines => {
    const begun = Date.now()
    for (const [, words] of lines.matchAll(/^npm install (.*)$/gm))
      for (const name of words.split(' ')) dependencies[name] = overrides[name] ?? '*'
    writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, dependencies, overrides }))
    const args = ['install', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', args, { cwd: app, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] })
    installMs += Date.now() - begun
  }
  const { results, unasked } = await playPage(readme, { folder: app, env, install })
  const ms = Date.now() - started - installMs
  const wrong = results.filter(({ ok }) => !ok).map(({ line, seen }) => `$ ${line}\n${seen}`)
  if (unasked !== '') wrong.push(unasked)
  if (ms >= LIMIT_MS) wrong.push('it takes longer than a minute')
  const seconds = value => `${(value / 1000).toFixed(1)} s`
  check(
    `Node ${major}: the minute of the README, ${results.length} commands in ${seconds(ms)}, after ${seconds(installMs)} of installing`,
    wrong.join('\n'),
  )
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
function packAll(names, folder) {
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
