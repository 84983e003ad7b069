// Where the services find each other, and are found: Nacos; or Kubernetes, or a file, which somebody else keeps up to date.
import { createFileSource, createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import { createNacosClient, createNacosSource, registerInstance } from '@laneway/nacos'

const { NACOS, KUBECONFIG, ENDPOINTS_FILE } = process.env
const nacos = NACOS ? createNacosClient({ servers: NACOS }) : undefined

function source() {
  if (nacos) return createNacosSource(nacos)
  return KUBECONFIG ? createKubernetesSource() : createFileSource(ENDPOINTS_FILE)
}

export const resolver = createLaneResolver({
  sources: [source()],
  services: ['sc-A', 'sc-B', 'sc-C'],
})

/** Registers this instance in its lane (`LANEWAY_TAG`). Returns what deregisters it and waits until callers know. */
export async function join(service, port) {
  if (!nacos) return async () => {}
  const registration = await registerInstance(nacos, { service, port, ip: '127.0.0.1', leaveDelayMs: 1500 })
  return () => registration.leave()
}

export async function leaveDiscovery() {
  await resolver.close()
  await nacos?.close()
}
