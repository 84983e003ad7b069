import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const root = fileURLToPath(new URL('..', import.meta.url))

t.test('the changesets make the next minor version of all packages, and so does each later minor change', t => {
  const folder = copyOf(t)
  const first = versionOf(t, folder)
  changeset(folder, 'first', 'minor', 'A first feature.')
  const second = nextMinor(first)
  if (first === '0.0.0') t.equal(second, '0.1.0')
  t.equal(version(t, folder), second, 'never the next major')
  changeset(folder, 'second', 'minor', 'Breaking: a second feature\nof two lines.')
  changeset(folder, 'repair', 'patch', 'A repair.')
  t.equal(version(t, folder), nextMinor(second))
  changeset(folder, 'third', 'patch', 'A repair alone.')
  t.equal(version(t, folder), `${nextMinor(second).slice(0, -1)}1`)

  const changelog = readFileSync(join(folder, 'CHANGELOG.md'), 'utf8')
  t.match(changelog, `## ${nextMinor(second).slice(0, -1)}1\n\n### Fixed\n\n- **@laneway/nacos**: A repair alone.\n\n`)
  t.match(
    changelog,
    `## ${nextMinor(second)}\n\n### Breaking\n\n- **@laneway/nacos**: a second feature\n  of two lines.\n\n### Fixed\n\n- **@laneway/nacos**: A repair.\n\n## ${second}\n`,
  )
  t.match(changelog, '- **@laneway/nacos**: A first feature.\n')
  t.end()
})

/** Versions everything in a copy, by the commands of `npm run version-packages`; all packages have the version returned. */
function version(t: Test, folder: string): string {
  const run = (file: string, ...args: string[]) =>
    execFileSync(process.execPath, [join(root, file), ...args], { cwd: folder, stdio: 'pipe' })
  run('node_modules/@changesets/cli/bin.js', 'version')
  run('scripts/changelog.mjs')
  return versionOf(t, folder)
}

/** The version of all published packages of a folder. Each names its siblings by it, and its peers by none. */
function versionOf(t: Test, folder: string): string {
  const manifests = readdirSync(join(folder, 'packages'))
    .map(name => JSON.parse(readFileSync(join(folder, 'packages', name, 'package.json'), 'utf8')) as Manifest)
    .filter(manifest => !manifest.private)
  const { version } = manifests[0]!
  const names = new Set(manifests.map(({ name }) => name))
  const wrong = manifests.flatMap(({ name, version: own, dependencies = {}, peerDependencies = {} }) => [
    ...(own === version ? [] : [`${name} has version ${own}`]),
    ...Object.entries(dependencies)
      .filter(([sibling, range]) => names.has(sibling) && range !== version)
      .map(([sibling, range]) => `${name} needs ${sibling} ${range}`),
    // With another range a minor change would make the next major; the release writes the version.
    ...Object.entries(peerDependencies)
      .filter(([sibling, range]) => names.has(sibling) && range !== '*')
      .map(([sibling, range]) => `${name} has the peer ${sibling} ${range}`),
  ])
  t.strictSame(wrong, [], `the versions are ${version}, those of peers *`)
  return version
}

function nextMinor(version: string): string {
  const [major, minor] = version.split('.').map(Number)
  return `${major}.${minor! + 1}.0`
}

function changeset(folder: string, name: string, kind: string, text: string): void {
  writeFileSync(join(folder, '.changeset', `${name}.md`), `---\n"@laneway/nacos": ${kind}\n---\n\n${text}\n`)
}

/** What `changeset version` reads of the repository. */
function copyOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-version-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, '.changeset'), join(folder, '.changeset'), { recursive: true })
  const places = ['packages', 'examples'].flatMap(parent =>
    readdirSync(join(root, parent)).map(name => `${parent}/${name}`),
  )
  for (const place of ['.', 'benchmarks', ...places]) {
    mkdirSync(join(folder, place), { recursive: true })
    for (const file of ['package.json', 'package-lock.json', 'CHANGELOG.md']) {
      if (existsSync(join(root, place, file))) cpSync(join(root, place, file), join(folder, place, file))
    }
  }
  execFileSync('git', ['init', '--quiet'], { cwd: folder })
  return folder
}
