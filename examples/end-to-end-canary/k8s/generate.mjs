// Writes the plain YAML of the chart, a folder for each profile:
//
//   node k8s/generate.mjs            writes it
//   node k8s/generate.mjs --check    changes nothing, fails when a file differs
//
// HELM names the program, else it is the one on the PATH or the one that the tests have built.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const NAMESPACE = 'laneway-demo'
const KUBERNETES = '1.34.0'
const HEAD = '# Generated from ../chart by `node k8s/generate.mjs`.\n'

/** What stands where: the profile itself, and what is applied instead of a file of it. */
const RUNS = ['mse-ingress', 'gateway-api', 'laneway-gateway'].flatMap(profile => [
  { into: profile, set: { profile }, files: /./ },
  { into: `${profile}/one-batch`, set: { profile, batches: 'one' }, files: /^rollout-/ },
  {
    into: `${profile}/half-of-requests`,
    set: { profile, 'traffic.matches': null, 'traffic.weight': 50 },
    files: /^traffic-routing/,
  },
])

/** The program, or undefined where there is none. */
export function findHelm() {
  const built =
    process.env.LANEWAY_KUBERNETES_HOME ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'laneway-kubernetes')
  const candidates = [process.env.HELM, 'helm', join(built, 'bin', 'helm')].filter(Boolean)
  return candidates.find(one => spawnSync(one, ['version', '--short']).status === 0)
}

/** All files of all profiles: path below this folder -> text. */
export function render(helm) {
  const rendered = new Map()
  for (const { into, set, files } of RUNS) {
    const values = Object.entries({ createNamespace: true, ...set }).flatMap(([name, value]) => [
      '--set',
      `${name}=${value}`,
    ])
    const args = [
      'template',
      '--kube-version',
      KUBERNETES,
      NAMESPACE,
      join(folder, 'chart'),
      '--namespace',
      NAMESPACE,
      ...values,
    ]
    const { status, stdout, stderr } = spawnSync(helm, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`helm template for ${into}: ${stderr}`)
    for (const [name, text] of bySource(stdout)) if (files.test(name)) rendered.set(`${into}/${name}`, HEAD + text)
  }
  return rendered
}

/** The documents of `helm template` under the name of the template that they come from. */
function bySource(output) {
  const sources = new Map()
  for (const part of output.split(/^---\n/m)) {
    const source = /^# Source: .*\/templates\/(.+)\n/.exec(part)
    if (source === null) continue
    const [line, name] = source
    const text = `${part.slice(line.length).trim()}\n`
    sources.set(name, sources.has(name) ? `${sources.get(name)}---\n${text}` : text)
  }
  return sources
}

/** What stands there now that a run would change: path -> missing, outdated or superfluous. */
export function differences(rendered) {
  const different = new Map()
  for (const [name, text] of rendered) {
    const file = join(folder, name)
    if (!existsSync(file)) different.set(name, 'missing')
    else if (readFileSync(file, 'utf8') !== text) different.set(name, 'outdated')
  }
  for (const { into } of RUNS) {
    const there = existsSync(join(folder, into)) ? readdirSync(join(folder, into)) : []
    for (const name of there) {
      if (name.endsWith('.yaml') && !rendered.has(`${into}/${name}`)) different.set(`${into}/${name}`, 'superfluous')
    }
  }
  return different
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check')
  const helm = findHelm()
  if (helm === undefined) {
    console.error('no helm: install it, or name it by HELM')
    // Who checks without Helm has skipped that, who generates has failed.
    process.exit(check ? 77 : 1)
  }
  const rendered = render(helm)
  const different = differences(rendered)
  for (const [name, state] of different) {
    console.log(`${state} ${relative(process.cwd(), join(folder, name))}`)
    if (check) continue
    if (state === 'superfluous') rmSync(join(folder, name))
    else {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), rendered.get(name))
    }
  }
  console.log(`${rendered.size} files, ${different.size} ${check ? 'differ' : 'written or removed'}`)
  process.exitCode = check && different.size > 0 ? 1 : 0
}
