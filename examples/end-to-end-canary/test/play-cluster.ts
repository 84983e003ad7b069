import { fileURLToPath } from 'node:url'
import { type Cluster, createCluster } from '../src/cluster/cluster.js'
import { apply } from '../src/commands/apply.js'
import { readManifests } from '../src/manifests/read-manifests.js'
import { fakePods } from './fake-pods.js'
import { VirtualClock } from './virtual-clock.js'

export type Profile = 'laneway-gateway' | 'gateway-api' | 'mse-ingress'

export const manifestsOf = (profile: Profile, folder = '') =>
  readManifests(fileURLToPath(new URL(`../k8s/${profile}/${folder}`, import.meta.url)))

/** A cluster of the manifests of a profile, at rest, whose time the test holds. */
export async function startCluster(
  profile: Profile,
  batches: 'one' | 'three',
): Promise<{ cluster: Cluster; clock: VirtualClock; rollout: (name: string) => any }> {
  const clock = new VirtualClock()
  const cluster = createCluster(clock, fakePods(clock), error => {
    throw error
  })
  const overlay = batches === 'one' ? manifestsOf(profile, 'one-batch') : []
  const replaced = new Set(overlay.map(one => `${one.kind}/${one.metadata.name}`))
  apply(cluster, [...manifestsOf(profile).filter(one => !replaced.has(`${one.kind}/${one.metadata.name}`)), ...overlay])
  await clock.pass(7000)
  return { cluster, clock, rollout: name => cluster.store.get('Rollout', name)?.status }
}
