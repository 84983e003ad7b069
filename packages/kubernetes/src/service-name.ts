/** A Service as the API server knows it. */
export interface ServiceName {
  readonly namespace: string
  readonly name: string
}

// RFC 1123 label, https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Reads `orders`, `orders.shop`, `orders.shop.svc` and `orders.shop.svc.<domain>`; case does not matter.
 *
 * @returns `undefined` for what cannot be a Service
 */
export function parseServiceName(service: string, namespace: string): ServiceName | undefined {
  const [name = '', space = namespace, svc = 'svc'] = service.toLowerCase().split('.')
  return LABEL.test(name) && LABEL.test(space) && svc === 'svc' ? { namespace: space, name } : undefined
}
