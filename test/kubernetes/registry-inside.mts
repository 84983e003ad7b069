// Inside a network namespace: control plane, registry, the services of the walkthrough. Prints one line of JSON.
import { createKubernetesSource } from '@laneway/kubernetes'
import { SourceReports } from '@laneway/testkit'
// @ts-expect-error a script without types
import { createKubernetesRegistry, runInNetworkNamespace } from '../servers/kubernetes/registry.mjs'
// @ts-expect-error a script without types
import { startControlPlane } from '../servers/kubernetes/start.mjs'

const outside = runInNetworkNamespace()
if (typeof outside === 'string') console.log(JSON.stringify({ problem: outside }))
else if (!outside) {
  const plane = await startControlPlane()
  const registry = await createKubernetesRegistry({ kubeconfig: plane.kubeconfig })
  const source = createKubernetesSource({ env: registry.environment() })
  const seen = new SourceReports()
  source.subscribe('sc-A', seen.listener)
  await registry.add({ service: 'sc-A', address: `${registry.host}:20001` })
  await registry.add({ service: 'sc-A', tag: 'gray', address: `${registry.host}:20002` })
  await registry.add({ service: 'sc-A', address: `${registry.host}:20003` })
  await seen.untilTable('10.77.0.1:20001=base 10.77.0.1:20002=gray 10.77.0.1:20003=base')
  await registry.remove({ address: `${registry.host}:20002` })
  await seen.untilTable('10.77.0.1:20001=base 10.77.0.1:20003=base')
  await source.close()
  await registry.close()
  await plane.stop()
  console.log(JSON.stringify({ told: seen.kinds.filter(one => one === 'stale').length }))
}
