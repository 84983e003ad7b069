/** An object of Kubernetes, as a manifest or the play has it. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  spec?: any
  status?: any
  [field: string]: any
}

export interface Metadata {
  name: string
  namespace?: string
  uid?: string
  generation?: number
  resourceVersion?: string
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: { kind: string; name: string }[]
}

/** Who owns an object of this kind: the name. */
export function ownerOf(object: KubeObject, kind: string): string | undefined {
  return object.metadata.ownerReferences?.find(one => one.kind === kind)?.name
}
