/** A service that a client asks for. */
export interface AskedService {
  /** As the source calls it. */
  readonly service: string
  /** As the client calls it. */
  readonly name: string
  /** The version that the client has. */
  readonly version: string | undefined
}

/** Services of one client. */
export const MAX_SERVICES = 1_000
const MAX_NAME = 255
const NAME = /^[\w.:@-]+$/
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const VERSION = /@([0-9a-f]{8}\.\d{1,15})$/

/**
 * Reads `/v1/endpoints?namespace=shop&service=orders&service=bills@3f0c2a91.17`: the last version that the client has of
 * a service stands behind its name.
 *
 * @param hasNamespaces - names without a namespace get that of the client
 * @returns what is wrong, as a text
 */
export function readQuestion(url: string, hasNamespaces: boolean): readonly AskedService[] | string {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const namespace = query.get('namespace') ?? ''
  const asked = query.getAll('service')
  if (!url.includes('?') || asked.length === 0) return 'no service is asked for: ?service=orders'
  if (asked.length > MAX_SERVICES) return `at most ${MAX_SERVICES} services can be asked for at a time`
  if (hasNamespaces && !NAMESPACE.test(namespace)) return 'namespace is not that of a Kubernetes namespace'
  const services = new Map<string, AskedService>()
  for (const text of asked) {
    const version = VERSION.exec(text)?.[1]
    const name = version === undefined ? text : text.slice(0, -version.length - 1)
    if (!NAME.test(name) || name.length > MAX_NAME) return 'a service name has letters, digits and . _ : @ - only'
    services.set(name, {
      service: hasNamespaces && !name.includes('.') ? `${name}.${namespace}` : name,
      name,
      version,
    })
  }
  return [...services.values()]
}
