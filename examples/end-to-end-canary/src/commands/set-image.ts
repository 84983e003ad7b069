import type { Cluster } from '../cluster/cluster.js'
import { resourceName } from '../manifests/kind-names.js'
import { admitDeployment } from '../rollouts/admission.js'
import { findObject } from './find-object.js'

/**
 * Changes the image of a Deployment as `kubectl set image` does.
 *
 * @param image - a whole image, or only its tag
 * @param container - the first one, when not named
 */
export function setImage({ store }: Cluster, deployment: string, image: string, container?: string): string[] {
  const before = findObject(store, 'Deployment', deployment)
  const after = store.update('Deployment', deployment, draft => {
    const containers: { name: string; image: string }[] = draft.spec.template.spec.containers
    const found = container === undefined ? containers[0] : containers.find(one => one.name === container)
    if (found === undefined) throw new Error(`error: unable to find container named "${container}"`)
    found.image = image.includes(':') ? image : `${found.image.slice(0, found.image.lastIndexOf(':'))}:${image}`
    admitDeployment(store, before, draft)
  })
  return after === before ? [] : [`${resourceName(before)} image updated`]
}
