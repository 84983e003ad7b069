import type { KubeObject } from './kube-object.js'
import type { LabelSet, Labels } from './label-sets.js'

/** One address of a slice. */
export interface SliceEndpoint {
  readonly address: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly zone: string | undefined
  /** The zones that the slice controller has set the address aside for. */
  readonly forZones: readonly string[] | undefined
  /** The pod behind the address; `undefined` when a person or another controller wrote the slice. */
  readonly pod: { readonly uid: string; readonly name: string } | undefined
}

/** A port of the Service, resolved for the endpoints of one slice. */
export interface SlicePort {
  readonly name: string
  readonly port: number
}

/** What is kept of an EndpointSlice. */
export interface Slice {
  /** The Service that the slice belongs to. */
  readonly service: string
  /** `IPv4`, `IPv6` or `FQDN`. */
  readonly family: string
  /** Copied from the Service by the slice controller. */
  readonly labels: LabelSet
  readonly ports: readonly SlicePort[]
  readonly endpoints: readonly SliceEndpoint[]
  /** The uids in `endpoints`. */
  readonly pods: ReadonlySet<string>
}

/** The label that names the Service of a slice. */
export const SERVICE_NAME = 'kubernetes.io/service-name'

interface RawSlice extends KubeObject {
  readonly addressType?: string
  readonly ports?: readonly { name?: string | null; port?: number | null; protocol?: string | null }[] | null
  readonly endpoints?:
    | readonly {
        addresses?: readonly string[] | null
        conditions?: { ready?: boolean | null; serving?: boolean | null; terminating?: boolean | null } | null
        targetRef?: { kind?: string; uid?: string; name?: string } | null
        zone?: string | null
        hints?: { forZones?: readonly { name?: string }[] | null } | null
      }[]
    | null
}

/**
 * Reads an EndpointSlice. Unset conditions mean what the API says they mean: ready, serving as ready, not terminating.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
 */
export function readSlice(object: KubeObject, labels: Labels): Slice {
  const raw = object as RawSlice
  const own = raw.metadata?.labels ?? {}
  const endpoints: SliceEndpoint[] = []
  const pods = new Set<string>()
  for (const { addresses, conditions, targetRef, zone, hints } of raw.endpoints ?? []) {
    // Further addresses of an endpoint are the same pod; kube-proxy uses the first, too.
    const address = addresses?.[0]
    if (typeof address !== 'string') continue
    const ready = conditions?.ready ?? true
    const isPod = targetRef?.kind === 'Pod'
    const uid = targetRef?.uid ?? ''
    if (isPod) pods.add(uid)
    endpoints.push({
      address,
      ready,
      serving: conditions?.serving ?? ready,
      terminating: conditions?.terminating ?? false,
      zone: zone ?? undefined,
      forZones: hints?.forZones?.flatMap(({ name }) => name ?? []),
      pod: isPod ? { uid, name: targetRef?.name ?? '?' } : undefined,
    })
  }
  const ports: SlicePort[] = []
  for (const { name, port, protocol } of raw.ports ?? []) {
    if ((protocol ?? 'TCP') === 'TCP' && typeof port === 'number') ports.push({ name: name ?? '', port })
  }
  return {
    service: own[SERVICE_NAME] ?? '',
    family: raw.addressType ?? 'IPv4',
    labels: labels.of(own),
    ports,
    endpoints,
    pods,
  }
}
