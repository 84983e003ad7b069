// Builds etcd, kube-apiserver and kube-controller-manager, or Helm, from their Go modules, once, into a cache folder:
//
//   node test/servers/kubernetes/install.mjs [helm]
//
// LANEWAY_KUBERNETES_HOME says where (default: ~/.cache/laneway-kubernetes). About ten minutes of CPU the first time,
// 2 GiB of memory, nothing afterwards. Needs Go and the module proxy.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('modules/', import.meta.url))
const VERSION = 'v1.34.4'
const stamped = { gitVersion: VERSION, gitMajor: '1', gitMinor: '34', gitTreeState: 'clean' }
const flags = Object.entries(stamped).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)

const CONTROL_PLANE = [
  { file: 'etcd', module: 'etcd', package: 'go.etcd.io/etcd/server/v3', ldflags: '-s -w' },
  ...['kube-apiserver', 'kube-controller-manager'].map(file => ({
    file,
    module: 'control-plane',
    package: `k8s.io/kubernetes/cmd/${file}`,
    ldflags: ['-s -w', ...flags].join(' '),
  })),
]
const HELM = {
  file: 'helm',
  module: 'helm',
  package: 'helm.sh/helm/v3/cmd/helm',
  ldflags: '-s -w -X helm.sh/helm/v3/internal/version.version=v3.19.5',
}

export const binFolder = join(
  process.env.LANEWAY_KUBERNETES_HOME ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'laneway-kubernetes'),
  'bin',
)

/** Builds what is missing or of another version. Returns why it cannot, or undefined when all is there. */
export function installControlPlane(say = console.log) {
  return install(CONTROL_PLANE, say)
}

/** The same for `helm`. */
export function installHelm(say = console.log) {
  return install([HELM], say)
}

function install(parts, say) {
  const missing = parts.filter(part => !isCurrent(part))
  if (missing.length === 0) return undefined
  if (spawnSync('go', ['version']).status !== 0) return `Go is not installed, so ${missing[0].file} cannot be built`
  mkdirSync(binFolder, { recursive: true })
  for (const part of missing) {
    say(`building ${part.file} (minutes, once)`)
    const problem = build(part)
    if (problem !== undefined) return problem
  }
  return undefined
}

function build(part) {
  const target = join(binFolder, part.file)
  const fresh = `${target}.${process.pid}`
  const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' }
  const args = ['-n', '15', 'go', 'build', '-trimpath', '-ldflags', part.ldflags, '-o', fresh, part.package]
  let output = ''
  // A module download may fail for a moment.
  for (let attempt = 0; attempt < 3; attempt++) {
    const result = spawnSync('nice', args, { cwd: join(modules, part.module), env, encoding: 'utf8' })
    if (result.status === 0) {
      renameSync(fresh, target)
      writeFileSync(`${target}.stamp`, stampOf(part))
      return undefined
    }
    output = `${result.stderr ?? ''}${result.error?.message ?? ''}`
  }
  rmSync(fresh, { force: true })
  return `${part.file} cannot be built: ${output.trim().split('\n').slice(-1)}`
}

function isCurrent(part) {
  const stamp = join(binFolder, `${part.file}.stamp`)
  return existsSync(join(binFolder, part.file)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(part)
}

function stampOf(part) {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(modules, part.module, file)))
  return hash.update(part.ldflags).update(process.platform).update(process.arch).digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = process.argv[2] === 'helm' ? installHelm() : installControlPlane()
  console.log(problem ?? `installed in ${binFolder}`)
  process.exitCode = problem === undefined ? 0 : 1
}
