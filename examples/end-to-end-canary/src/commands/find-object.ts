import type { KubeObject } from '../cluster/kube-object.js'
import type { Store } from '../cluster/store.js'
import { pluralOf } from '../manifests/kind-names.js'

/** @throws Error as kubectl says it of what is not there */
export function findObject(store: Store, kind: string, name: string): KubeObject {
  const object = store.get(kind, name)
  if (object === undefined) throw new Error(`Error from server (NotFound): ${pluralOf(kind)} "${name}" not found`)
  return object
}
