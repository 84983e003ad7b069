import type { KubeObject } from './kube-object.js'
import type { SlicePort } from './slice.js'

/** The ports of a Service: number -> name. */
export type ServicePorts = ReadonlyMap<number, string>

/** Reads `spec.ports` of a Service, TCP only. */
export function readServicePorts(object: KubeObject): { name: string; ports: ServicePorts } {
  const { spec } = object as {
    spec?: { ports?: readonly { name?: string; port?: number; protocol?: string }[] | null }
  }
  const ports = new Map<number, string>()
  for (const { name, port, protocol } of spec?.ports ?? []) {
    if ((protocol ?? 'TCP') === 'TCP' && typeof port === 'number') ports.set(port, name ?? '')
  }
  return { name: object.metadata?.name ?? '', ports }
}

/**
 * Chooses the port of a slice.
 *
 * @param wanted - name of the Service port, or its number; a slice knows the names only, so a number goes through
 * `service`. `undefined`: the only one, else the one named `http`, else the first
 * @returns `undefined` when the slice does not have it
 */
export function choosePort(
  ports: readonly SlicePort[],
  wanted: string | number | undefined,
  service: ServicePorts | undefined,
): number | undefined {
  if (wanted === undefined) return (ports.find(one => one.name === 'http') ?? ports[0])?.port
  if (typeof wanted === 'string') return ports.find(one => one.name === wanted)?.port
  // A headless Service may have no ports at all: then the number is the pod's own.
  if (ports.length === 0 && (service === undefined || service.size === 0)) return wanted
  const name = service?.get(wanted)
  return name === undefined ? undefined : ports.find(one => one.name === name)?.port
}
