// Makes processes on this machine known to a Kubernetes API server as if they were pods: for plays and demos that want
// their services to find each other through it, with no container anywhere.
//
//   if (runInNetworkNamespace()) return          // a copy of this program runs inside; see below
//   const registry = await createKubernetesRegistry({ kubeconfig })
//   await registry.add({ service: 'sc-A', tag: 'gray', address: `${registry.host}:20001` })
//   spawn('node', ['b.js'], { env: { ...process.env, ...registry.environment() } })
//
// An EndpointSlice refuses loopback addresses, so the services listen on `host`, an address on the loopback interface of a
// network namespace of their own.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'

/** The address that services listen on inside the network namespace. */
export const NAMESPACE_HOST = '10.77.0.1'
const INSIDE = 'LANEWAY_TEST_NETWORK_NAMESPACE'

/**
 * Runs this very program again in a network namespace of its own, where {@link NAMESPACE_HOST} is an address, and ends
 * with its exit code. Returns `false` inside, and why not where there can be no namespace.
 */
export function runInNetworkNamespace() {
  if (process.env[INSIDE] === '1') return false
  const setUp = `ip link set lo up && ip address add ${NAMESPACE_HOST}/32 dev lo`
  if (spawnSync('unshare', ['--net', 'sh', '-c', setUp]).status !== 0) return 'no network namespace can be made here'
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const { status } = spawnSync('unshare', ['--net', 'sh', '-c', `${setUp} && exec "$@"`, 'sh', ...again], {
    env: { ...process.env, [INSIDE]: '1' },
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
  return true
}

/** A namespace of the API server that holds what is added. The kubeconfig holds its certificates itself. */
export async function createKubernetesRegistry({ kubeconfig }) {
  const call = connect(kubeconfig)
  const namespace = `laneway-${randomBytes(4).toString('hex')}`
  const space = `/api/v1/namespaces/${namespace}`
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`
  await call('POST', '/api/v1/namespaces', { metadata: { name: namespace } })
  await call('POST', '/api/v1/nodes', { metadata: { name: namespace } })
  // Pods are refused until the controller has made their service account.
  while (!(await call('GET', `${space}/serviceaccounts/default`).catch(() => undefined))) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  const { folder, file } = writeKubeconfig(kubeconfig, namespace)
  const names = new Map()
  let count = 0

  return {
    /** What a process needs to find the services with `createKubernetesSource()`, without any option. */
    environment: () => ({ KUBECONFIG: file }),
    namespace,
    host: Object.values(networkInterfaces())
      .flat()
      .find(one => one.address === NAMESPACE_HOST)?.address,

    /** A pod, and a slice with its address, in the way of the slice controller: the pod is there first. */
    async add({ service, tag = '', address, ready = true }) {
      const app = service.toLowerCase()
      const name = `${app}-${++count}`
      const [, host, port] = /^(.*):(\d+)$/.exec(address)
      const { metadata } = await call('POST', `${space}/pods`, {
        metadata: { name, labels: { app, ...(tag === '' ? {} : { 'alicloud.service.tag': tag }) } },
        spec: {
          nodeName: namespace,
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'main', image: 'none' }],
        },
      })
      await call('POST', slices, {
        metadata: {
          name,
          labels: { 'kubernetes.io/service-name': app, 'endpointslice.kubernetes.io/managed-by': 'laneway-test' },
        },
        addressType: host.includes(':') ? 'IPv6' : 'IPv4',
        ports: [{ name: 'http', port: Number(port), protocol: 'TCP' }],
        endpoints: [
          { addresses: [host], conditions: { ready }, targetRef: { kind: 'Pod', namespace, name, uid: metadata.uid } },
        ],
      })
      names.set(address, name)
    },

    /** The endpoint goes first, the pod afterwards. */
    async remove({ address }) {
      const name = names.get(address)
      if (name === undefined) return
      names.delete(address)
      await call('DELETE', `${slices}/${name}`)
      await call('DELETE', `${space}/pods/${name}`)
    },

    async close() {
      await call('DELETE', space)
      await call('DELETE', `/api/v1/nodes/${namespace}`)
      call.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The same access, with the namespace as the context's own. */
function writeKubeconfig(kubeconfig, namespace) {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  for (const { context } of config.contexts) context.namespace = namespace
  const folder = mkdtempSync(join(tmpdir(), 'laneway-registry-'))
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return { folder, file }
}

function connect(kubeconfig) {
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  const context = config.contexts.find(one => one.name === config['current-context']).context
  const { cluster } = config.clusters.find(one => one.name === context.cluster)
  const { user } = config.users.find(one => one.name === context.user)
  const decode = text => (text === undefined ? undefined : Buffer.from(text, 'base64'))
  const agent = new Agent({
    keepAlive: true,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  })
  const call = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        ...(user.token ? { authorization: `Bearer ${user.token}` } : {}),
      }
      const sent = request(new URL(path, cluster.server), { method, agent, headers }, response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', chunk => (text += chunk))
        response.on('end', () => {
          const answer = JSON.parse(text)
          if (response.statusCode < 300) resolve(answer)
          else reject(new Error(`${method} ${path}: ${answer.message}`))
        })
      })
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  call.end = () => agent.destroy()
  return call
}
