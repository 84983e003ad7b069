// A real Kubernetes control plane on loopback: etcd, kube-apiserver and kube-controller-manager, without scheduler,
// kubelet and containers. As a program it prints one line and stays until it is told to end:
//
//   node test/servers/kubernetes/start.mjs
//   ready KUBECONFIG=/tmp/…/kubeconfig server=https://127.0.0.1:…
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { makeCertificates } from './certificates.mjs'
import { binFolder, installControlPlane } from './install.mjs'

const CONTROLLERS = [
  'deployment-controller',
  'replicaset-controller',
  'endpointslice-controller',
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
]
const READY_WITHIN_MS = 120_000
const TIED = spawnSync('setpriv', ['--version']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []

/** Starts it. Resolves with `{ kubeconfig, server, pids, stop, restartApiServer }`; rejects when a part does not come up. */
export async function startControlPlane() {
  const dir = mkdtempSync(join(tmpdir(), 'laneway-control-plane-'))
  const pki = join(dir, 'pki')
  const children = []
  const pids = {}
  const commands = new Map()
  let ending = false

  function launch(name, args) {
    commands.set(name, args)
    // Where there is setpriv, a child ends with this process even when it is killed.
    const command = [...TIED, join(binFolder, name), ...args]
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    const log = createWriteStream(join(dir, `${name}.log`), { flags: 'a' })
    child.stdout.pipe(log)
    child.stderr.pipe(log)
    const gone = new Promise(resolve => child.on('close', resolve))
    children.push({ name, child, gone })
    pids[name] = child.pid
  }

  /** Kills the API server and starts it again: same port, same data, an empty watch cache. */
  async function restartApiServer() {
    const index = children.findIndex(({ name }) => name === 'kube-apiserver')
    const [old] = children.splice(index, 1)
    old.child.kill('SIGKILL')
    await old.gone
    launch('kube-apiserver', commands.get('kube-apiserver'))
    // Ended before etcd, as at first.
    children.splice(index, 0, children.pop())
    await until('/readyz')
  }

  let until
  async function stop() {
    ending = true
    process.off('exit', killAll)
    for (const { child, gone } of children.reverse()) {
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const patience = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await gone
      clearTimeout(patience)
    }
    rmSync(dir, { recursive: true, force: true })
  }
  function killAll() {
    for (const { child } of children) child.kill('SIGKILL')
  }
  process.on('exit', killAll)

  try {
    const token = makeCertificates(pki)
    const [port, etcd, peer] = await freePorts(3)
    const server = `https://127.0.0.1:${port}`
    const kubeconfig = writeKubeconfig(dir, pki, server, token)
    launch('etcd', [
      ...['--name', 'test', '--data-dir', join(dir, 'etcd'), '--unsafe-no-fsync', '--log-level', 'warn'],
      ...['--listen-client-urls', `http://127.0.0.1:${etcd}`, '--advertise-client-urls', `http://127.0.0.1:${etcd}`],
      ...[
        '--listen-peer-urls',
        `http://127.0.0.1:${peer}`,
        '--initial-advertise-peer-urls',
        `http://127.0.0.1:${peer}`,
      ],
      ...['--initial-cluster', `test=http://127.0.0.1:${peer}`],
    ])
    launch('kube-apiserver', [
      ...['--etcd-servers', `http://127.0.0.1:${etcd}`, '--secure-port', String(port), '--bind-address', '127.0.0.1'],
      ...['--advertise-address', '127.0.0.1', '--endpoint-reconciler-type', 'none'],
      ...['--service-cluster-ip-range', '10.96.0.0/16', '--authorization-mode', 'RBAC', '--profiling=false'],
      ...['--tls-cert-file', join(pki, 'server.crt'), '--tls-private-key-file', join(pki, 'server.key')],
      ...['--client-ca-file', join(pki, 'ca.crt'), '--token-auth-file', join(pki, 'tokens.csv')],
      ...['--service-account-issuer', 'https://kubernetes.default.svc'],
      ...['--service-account-key-file', join(pki, 'accounts.pub')],
      ...['--service-account-signing-key-file', join(pki, 'accounts.key')],
    ])
    const get = path => status(server + path, readFileSync(join(pki, 'ca.crt')), token)
    until = async path => {
      const end = Date.now() + READY_WITHIN_MS
      while ((await get(path)) !== 200) {
        const dead = children.find(({ child }) => child.exitCode !== null)
        if (dead) throw new Error(`${dead.name} ended: ${tail(join(dir, `${dead.name}.log`))}`)
        if (Date.now() > end) throw new Error(`${path} is not there after ${READY_WITHIN_MS / 1000} s`)
        await sleep(100)
      }
    }
    await until('/readyz')
    launch('kube-controller-manager', [
      ...['--kubeconfig', kubeconfig, '--bind-address', '127.0.0.1', '--secure-port', '0', '--leader-elect=false'],
      ...['--root-ca-file', join(pki, 'ca.crt'), '--service-account-private-key-file', join(pki, 'accounts.key')],
      ...['--controllers', CONTROLLERS.join(','), '--profiling=false'],
    ])
    await until('/api/v1/namespaces/default/serviceaccounts/default')
    return { kubeconfig, server, pids, stop, restartApiServer, alive: () => !ending }
  } catch (error) {
    await stop()
    throw error
  }
}

function writeKubeconfig(dir, pki, server, token) {
  const data = name => readFileSync(join(pki, name)).toString('base64')
  const file = join(dir, 'kubeconfig')
  // JSON is YAML.
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'certificate',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': data('ca.crt') } }],
    users: [
      {
        name: 'certificate',
        user: { 'client-certificate-data': data('admin.crt'), 'client-key-data': data('admin.key') },
      },
      { name: 'token', user: { token } },
    ],
    contexts: ['certificate', 'token'].map(name => ({ name, context: { cluster: 'test', user: name } })),
  }
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 })
  return file
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map(server => new Promise(resolve => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

function status(url, ca, token) {
  return new Promise(resolve => {
    const sent = request(url, { ca, headers: { authorization: `Bearer ${token}` }, timeout: 2_000 }, response => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(0))
    sent.end()
  })
}

const tail = file => readFileSync(file, 'utf8').trim().split('\n').slice(-2).join(' ')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problem = installControlPlane()
  if (problem !== undefined) {
    console.error(problem)
    process.exit(1)
  }
  const plane = await startControlPlane()
  console.log(`ready KUBECONFIG=${plane.kubeconfig} server=${plane.server}`)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void plane.stop().then(() => process.exit(0)))
}
