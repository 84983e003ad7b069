import { parse } from 'yaml'
import type { KubeObject } from '../cluster/kube-object.js'

/** What this machine has instead of the cluster. */
export interface GatewayPlace {
  readonly host: string
  readonly port: number
  /** The file that the play keeps up to date, as the gateway's sidecar does. */
  readonly rules: string
  /** As the services get it. */
  readonly registry: Readonly<Record<string, string>>
}

/**
 * The configuration of the Laneway gateway out of the ConfigMap of the manifests, at home on this machine.
 *
 * @returns `undefined` when the manifests have no such gateway
 */
export function gatewayConfig(objects: readonly KubeObject[], place: GatewayPlace): object | undefined {
  const text = objects.find(one => one.kind === 'ConfigMap' && one['data']?.['gateway.yaml'] !== undefined)
  if (text === undefined) return undefined
  const { admin: _admin, proxies: _proxies, discovery, rules, ...config } = parse(text['data']['gateway.yaml'])
  const { NACOS, ENDPOINTS_FILE } = place.registry
  const { nacos: _nacos, kubernetes: _kubernetes, ...rest } = discovery
  return {
    ...config,
    listeners: [{ host: place.host, port: place.port }],
    // Nothing stands in front of it here.
    trust: 'edge',
    rules: { ...rules, file: place.rules },
    discovery: {
      ...rest,
      ...(NACOS !== undefined && { nacos: { servers: NACOS } }),
      ...(ENDPOINTS_FILE !== undefined && { file: ENDPOINTS_FILE }),
      ...(NACOS === undefined && ENDPOINTS_FILE === undefined && { kubernetes: true }),
    },
    accessLog: false,
  }
}
