// `npm run release -- --dry-run`: packs every package, installs the packs in an empty folder, runs the examples of the
// READMEs against them, and prints what would be published. `npm run release` does the same and then publishes.
//
//   --dry-run       publish nothing
//   --keep          leave the folder with the packs and say where it is
//   --skip-examples only pack and install
//   --matrix        also install the packs with npm, pnpm and yarn 1 and 4, and run them on Node 20, 22, 24 and 26
//
// Publishing happens in .github/workflows/release.yml, which npm trusts. There the packs carry a provenance statement, and
// their manifests name the repository of the workflow, which npm compares with the statement.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildAll, packages } from './build.mjs'
import { tryPacks } from './pack-matrix.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    'skip-examples': { type: 'boolean', default: false },
    matrix: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  const lines = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n')
  const comment = lines.slice(
    0,
    lines.findIndex(line => !line.startsWith('//')),
  )
  console.log(comment.map(line => line.replace(/^\/\/ ?/, '')).join('\n'))
  process.exit(0)
}

const windows = process.platform === 'win32'
const folder = mkdtempSync(join(tmpdir(), 'laneway-release-'))
process.on('exit', () => {
  if (!options.keep) rmSync(folder, { recursive: true, force: true })
})
const counts = { passed: 0, failed: 0 }

console.log('building ...')
await buildAll([], { types: true })
const packs = inOrder(packages()).map(pack)
console.log(`packed ${packs.length} packages, installing them in an empty folder ...`)
install(packs)
for (const { name, bin } of packs) for (const command of bin) check(`${command} --help (${name})`, help(command))
if (!options['skip-examples']) runExamples()
if (options.matrix) await tryPacks(folder, packs, [20, 22, 24, 26], check)
report(packs)
console.log(`${counts.passed} passed, ${counts.failed} failed`)
if (options.keep) console.log(`the packs are in ${folder}`)
if (counts.failed > 0) process.exit(1)
if (!options['dry-run']) publish(packs)

/** The packages, each after those that it depends on. */
function inOrder(all) {
  const ordered = new Set()
  const visit = name => {
    for (const needed of all.get(name)) if (!ordered.has(needed)) visit(needed)
    ordered.add(name)
  }
  for (const name of all.keys()) visit(name)
  return [...ordered]
}

/** Packs a copy of the package, since npm needs the repository in the manifest and the tree cannot know it. */
function pack(name) {
  const copy = join(folder, 'packages', name)
  const source = join(root, 'packages', name)
  const manifest = { ...JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')), ...home(name) }
  // In the repository a peer has no version: with one, changesets would make each minor change the next major.
  for (const peer of Object.keys(manifest.peerDependencies ?? {})) {
    if (peer.startsWith('@laneway/')) manifest.peerDependencies[peer] = manifest.version
  }
  mkdirSync(copy, { recursive: true })
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', ...manifest.files]) {
    if (existsSync(join(source, file))) cpSync(join(source, file), join(copy, file), { recursive: true })
  }
  writeFileSync(join(copy, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  const output = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], copy)
  // npm 12 answers by name, older ones with a list.
  const [packed] = Object.values(JSON.parse(output))
  return {
    name: manifest.name,
    version: manifest.version,
    bin: Object.keys(manifest.bin ?? {}),
    file: join(folder, packed.filename),
    size: packed.size,
    files: packed.entryCount,
  }
}

/** `repository`, `bugs` and `homepage` in a workflow of GitHub, which sets both variables; else nothing. */
function home(name) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
  if (!server || !repository) return {}
  const url = `${server}/${repository}`
  return {
    repository: { type: 'git', url: `git+${url}.git`, directory: `packages/${name}` },
    bugs: `${url}/issues`,
    homepage: `${url}/tree/main/packages/${name}#readme`,
  }
}

/** An application with nothing but the packs, and the libraries that the examples import in the versions of the tests. */
function install(packs) {
  const app = join(folder, 'app')
  mkdirSync(app)
  // A pack depends on its siblings by version, and these are not on npm yet.
  const overrides = Object.fromEntries(packs.map(({ name, file }) => [name, `file:${file}`]))
  const dependencies = { ...overrides }
  for (const library of librariesOfExamples()) {
    const manifest = JSON.parse(readFileSync(join(root, 'node_modules', library, 'package.json'), 'utf8'))
    dependencies[library] = manifest.version
  }
  const manifest = { name: 'app', private: true, type: 'module', dependencies, overrides }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest, undefined, 2))
  npm(['install', '--no-audit', '--no-fund', '--loglevel=error'], app)
}

function librariesOfExamples() {
  const names = new Set(['tsx'])
  for (const { groups } of readmes().flatMap(text => [...text.matchAll(/^import .*from '(?<from>[^'.][^']*)'/gm)])) {
    const { from } = groups
    const name = from
      .split('/')
      .slice(0, from.startsWith('@') ? 2 : 1)
      .join('/')
    if (!name.startsWith('@laneway/') && !name.startsWith('node:') && name !== 'laneway') names.add(name)
  }
  return names
}

/** The packages whose examples run without a server. `npm run test:messages` runs those of the others. */
function namesWithExamples() {
  return [...packages().keys()].filter(name => existsSync(join(root, testOf(name))))
}

function testOf(name) {
  return `packages/${name}/test/readme.test.ts`
}

function readmes() {
  const files = namesWithExamples().map(name => join(root, 'packages', name, 'README.md'))
  return [join(root, 'README.md'), ...files].map(file => readFileSync(file, 'utf8'))
}

/** The README tests of the packages, with the examples in the application instead of the sources. */
function runExamples() {
  for (const name of namesWithExamples()) {
    console.log(`examples of packages/${name} ...`)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--conditions=@laneway/source', testOf(name)],
      {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, TAP_TIMEOUT: '120', EXAMPLES_FOLDER: join(folder, 'app') },
      },
    )
    check(`the README of ${name}`, status === 0 ? undefined : `${stdout}\n${stderr}`)
  }
}

function help(command) {
  const file = join(folder, 'app', 'node_modules', '.bin', command)
  const { status, stdout, stderr } = spawnSync(file, ['--help'], { encoding: 'utf8', shell: windows })
  return status === 0 && stdout.includes(command) ? undefined : `${stdout}\n${stderr}`
}

function check(what, problem) {
  if (problem === undefined) counts.passed++
  else {
    counts.failed++
    console.log(`FAILED  ${what}\n${problem}`)
  }
}

function report(packs) {
  console.log(options['dry-run'] ? 'would publish:' : 'publishing:')
  const width = Math.max(...packs.map(({ name }) => name.length))
  for (const { name, version, size, files } of packs) {
    console.log(`  ${name.padEnd(width)}  ${version}  ${Math.round(size / 1024)} kB, ${files} files`)
  }
}

function publish(packs) {
  const provenance = process.env.GITHUB_ACTIONS === 'true' ? ['--provenance'] : []
  for (const { name, version, file } of packs) {
    if (published(name, version)) {
      console.log(`${name}@${version} is published already`)
      continue
    }
    npm(['publish', file, '--access', 'public', ...provenance], folder)
    console.log(`published ${name}@${version}`)
  }
  // The workflow pushes the tags that this prints, and makes a release of each.
  const { status } = spawnSync('npx', ['changeset', 'tag'], { cwd: root, stdio: 'inherit', shell: windows })
  if (status !== 0) throw new Error('everything is published, but `changeset tag` failed: set the tags by hand')
}

function published(name, version) {
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], {
    encoding: 'utf8',
    shell: windows,
  })
  return status === 0 && stdout.trim() === version
}

function npm(args, cwd) {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    shell: windows,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  })
}
