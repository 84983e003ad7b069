// The controller of OpenKruise Rollouts itself, built from its Go module, outside the cluster that it serves, with the
// rights of its own service account.
//
//   node test/servers/kubernetes/rollouts.mjs        builds it (minutes, once)
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { binFolder } from './install.mjs'

const VERSION = 'v0.6.2'
const folder = join(binFolder, '..', `rollouts-${VERSION}`)
const program = join(folder, 'manager')
const NAMESPACE = 'kruise-rollout'
const ACCOUNT = 'kruise-rollout-controller-manager'
const READY_WITHIN_MS = 60_000

/** Builds it when it is missing. Returns why it cannot, or undefined when it is there. */
export function installRollouts(say = console.log) {
  if (existsSync(program)) return undefined
  const found = spawnSync('go', ['mod', 'download', '-json', `github.com/openkruise/rollouts@${VERSION}`], {
    encoding: 'utf8',
    cwd: '/',
  })
  if (found.status !== 0) return 'Go, or the module of OpenKruise Rollouts, is not there'
  say(`building OpenKruise Rollouts ${VERSION} (minutes, once)`)
  // A copy: its go.mod has replacements, which count in the main module alone.
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(JSON.parse(found.stdout).Dir, folder, { recursive: true })
  for (const name of execFileSync('find', [folder], { encoding: 'utf8' }).trim().split('\n')) chmodSync(name, 0o755)
  const env = { ...process.env, GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false' }
  const args = ['-n', '15', 'go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', `${program}.new`, '.']
  for (let attempt = 0; attempt < 3; attempt++) {
    if (spawnSync('nice', args, { cwd: folder, env }).status !== 0) continue
    execFileSync('mv', [`${program}.new`, program])
    return undefined
  }
  return 'OpenKruise Rollouts cannot be built'
}

/** Installs it into the cluster and starts it. Needs kubectl. Resolves with what ends it. */
export async function startRollouts(kubeconfig) {
  const kubectl = (args, input) =>
    execFileSync('kubectl', ['--kubeconfig', kubeconfig, ...args], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
  const all = execFileSync('kubectl', ['kustomize', join(folder, 'config/default')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 26,
  })
  // All but what would run in the cluster.
  const parts = all.split(/^---\n/m).filter(text => !/^kind: (Deployment|Service)$/m.test(text))
  kubectl(['create', '-f', '-'], parts.join('---\n'))
  const dir = mkdtempSync(join(tmpdir(), 'laneway-rollouts-'))
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  const token = kubectl(['--namespace', NAMESPACE, 'create', 'token', ACCOUNT, '--duration', '8h']).trim()
  const own = join(dir, 'kubeconfig')
  const context = { cluster: config.clusters[0].name, user: 'controller' }
  const written = {
    ...config,
    users: [{ name: 'controller', user: { token } }],
    contexts: [{ name: 'controller', context }],
    'current-context': 'controller',
  }
  writeFileSync(own, JSON.stringify(written), { mode: 0o600 })
  const [health, webhook] = await freePorts(2)
  const flags = [
    ...['--feature-gates=AdvancedDeployment=true', '--metrics-bind-address=127.0.0.1:0'],
    `--health-probe-bind-address=127.0.0.1:${health}`,
  ]
  // It reads its scripts from the working directory.
  const child = spawn(program, flags, {
    cwd: folder,
    env: {
      ...process.env,
      KUBECONFIG: own,
      POD_NAMESPACE: NAMESPACE,
      SECRET_NAME: 'kruise-rollout-webhook-certs',
      SERVICE_NAME: 'kruise-rollout-webhook-service',
      WEBHOOK_HOST: '127.0.0.1',
      WEBHOOK_PORT: String(webhook),
      WEBHOOK_CERT_DIR: join(dir, 'certificates'),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', chunk => {
    log = (log + chunk).slice(-4_000)
  })
  const gone = new Promise(resolve => child.on('close', resolve))
  async function stop() {
    child.kill('SIGKILL')
    await gone
    rmSync(dir, { recursive: true, force: true })
  }
  const end = Date.now() + READY_WITHIN_MS
  while (!(await isReady(`http://127.0.0.1:${health}/readyz`))) {
    if (child.exitCode !== null || Date.now() > end) {
      await stop()
      throw new Error(`the controller does not start: ${log}`)
    }
    await sleep(100)
  }
  return stop
}

function isReady(url) {
  return fetch(url).then(
    answer => answer.ok,
    () => false,
  )
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map(server => new Promise(resolve => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = installRollouts()
  console.log(problem ?? `installed in ${folder}`)
  process.exitCode = problem === undefined ? 0 : 1
}
