// Stands in for scheduler and kubelet: every pod gets a node, an address and becomes ready; one that is deleted goes.
// Nothing is run.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'

const NODE = 'laneway-node'
const ROUND_MS = 250

/** Looks at all pods of the cluster four times a second. Returns what ends it. */
export async function keepPods(kubeconfig) {
  const call = connect(kubeconfig)
  await call('POST', '/api/v1/nodes', { metadata: { name: NODE } })
  let running = true
  let addresses = 1
  const rounds = (async () => {
    while (running) {
      const { items } = await call('GET', '/api/v1/pods')
      // A pod may be gone, or changed, before its turn comes: the next round sees it as it is.
      for (const pod of items) await attend(pod).catch(() => {})
      await sleep(ROUND_MS)
    }
  })()

  async function attend({ metadata, spec, status }) {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`
    if (metadata.deletionTimestamp) {
      await call('DELETE', path, { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } })
    } else if (!spec.nodeName) {
      await call('POST', `${path}/binding`, { metadata: { name: metadata.name }, target: { kind: 'Node', name: NODE } })
    } else if (status.phase !== 'Running') {
      const ip = `10.244.${addresses >> 8}.${addresses++ & 255}`
      const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, '')
      const conditions = ['Ready', 'ContainersReady', 'Initialized', 'PodScheduled'].map(type => ({
        type,
        status: 'True',
        lastTransitionTime,
      }))
      const ready = { phase: 'Running', podIP: ip, podIPs: [{ ip }], startTime: lastTransitionTime, conditions }
      await call('PATCH', `${path}/status`, { status: ready })
    }
  }

  return async () => {
    running = false
    await rounds
    call.end()
  }
}

function connect(kubeconfig) {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'))
  const { server } = clusters[0].cluster
  const decode = text => Buffer.from(text, 'base64')
  const agent = new Agent({
    keepAlive: true,
    ca: decode(clusters[0].cluster['certificate-authority-data']),
    cert: decode(users[0].user['client-certificate-data']),
    key: decode(users[0].user['client-key-data']),
  })
  const call = (method, path, body) =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const text = body === undefined ? '' : JSON.stringify(body)
      // Node sends the body of a DELETE without any length by itself.
      const headers = { 'content-type': type, 'content-length': Buffer.byteLength(text) }
      const sent = request(new URL(path, server), { method, agent, headers }, response => {
        let answer = ''
        response.setEncoding('utf8')
        response.on('data', chunk => (answer += chunk))
        response.on('error', reject)
        response.on('end', () => {
          if (response.statusCode < 300) resolve(JSON.parse(answer))
          else reject(new Error(`${method} ${path}: ${answer}`))
        })
      })
      sent.on('error', reject)
      sent.end(text)
    })
  call.end = () => agent.destroy()
  return call
}
