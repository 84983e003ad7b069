// Where the services find each other, and are found: Nacos; or Kubernetes, or a file, which somebody else keeps up to date.
import { createFileSource, createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import { createNacosClient, createNacosSource, followConfig, registerInstance } from '@laneway/nacos'

const { NACOS, KUBECONFIG, KUBERNETES_SERVICE_HOST, ENDPOINTS_FILE, POD_IP, LEAVE_DELAY_MS } = process.env
const nacos = NACOS ? createNacosClient({ servers: NACOS }) : undefined

function source() {
  if (nacos) return createNacosSource(nacos)
  if (ENDPOINTS_FILE) return createFileSource(ENDPOINTS_FILE)
  if (KUBECONFIG || KUBERNETES_SERVICE_HOST) return createKubernetesSource()
  throw new Error('name where the services meet: NACOS, ENDPOINTS_FILE, or KUBECONFIG outside a pod')
}

export const resolver = createLaneResolver({
  sources: [source()],
  services: ['sc-A', 'sc-B', 'sc-C'],
})

/** A configuration of Nacos as it is now: `current` changes when it is published. Without Nacos there is none. */
export async function follow(dataId) {
  if (!nacos) return { current: undefined }
  const config = followConfig(nacos, dataId)
  await config.ready
  return config
}

/** Registers this instance in its lane (`LANEWAY_TAG`). Returns what deregisters it and waits until callers know. */
export async function join(service, port) {
  if (!nacos) return async () => {}
  const registration = await registerInstance(nacos, {
    service,
    port,
    ip: POD_IP ?? '127.0.0.1',
    leaveDelayMs: Number(LEAVE_DELAY_MS ?? 1500),
  })
  return () => registration.deregister()
}

export async function leaveDiscovery() {
  await resolver.close()
  await nacos?.close()
}
