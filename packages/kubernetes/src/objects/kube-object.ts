/** What every object of the API server has; anything may be absent in what a server sends. */
export interface KubeObject {
  readonly metadata?: {
    readonly uid?: string
    readonly name?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>> | null
    readonly annotations?: Readonly<Record<string, string>> | null
    readonly creationTimestamp?: string | null
    readonly deletionTimestamp?: string | null
    readonly continue?: string
  }
}

/** `uid` and `resourceVersion`, without which an object cannot be kept. @throws TypeError */
export function identityOf(object: KubeObject): { uid: string; version: string } {
  const { uid, resourceVersion } = object?.metadata ?? {}
  if (typeof uid !== 'string' || uid === '' || typeof resourceVersion !== 'string') {
    throw new TypeError('an object without uid or resourceVersion')
  }
  return { uid, version: resourceVersion }
}
