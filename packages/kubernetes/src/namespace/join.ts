import type { EndpointInput } from '@laneway/discovery'
import { lastingEndpoint } from '@laneway/discovery/internal'
import type { LabelSet } from '../objects/label-sets.js'
import type { Pod } from '../objects/pod.js'
import type { Slice, SliceEndpoint } from '../objects/slice.js'

/** An endpoint of a slice with its lane decided, or held back. */
export interface JoinedEndpoint {
  readonly input: EndpointInput
  readonly uid: string | undefined
  readonly ready: boolean
  /** When its pod was created; 0 when not known. */
  readonly created: number
}

/** An address whose pod is not known. */
export interface HeldEndpoint {
  readonly uid: string
  readonly pod: string
  readonly address: string
}

/** One slice, joined. */
export interface JoinedSlice {
  readonly endpoints: readonly JoinedEndpoint[]
  readonly held: readonly HeldEndpoint[]
}

/**
 * Gives the endpoints of a slice their tags: by the uid of the pod, never by its address, which another pod may have had
 * a moment ago. An endpoint whose pod is not known is held back, because it may not belong to base.
 *
 * @param pods - `undefined`: the lane is in the labels of the slice
 */
export function joinSlice(slice: Slice, port: number, pods: ReadonlyMap<string, Pod> | undefined): JoinedSlice {
  const endpoints: JoinedEndpoint[] = []
  const held: HeldEndpoint[] = []
  for (const endpoint of slice.endpoints) {
    const { pod, address } = endpoint
    const known = pod === undefined ? undefined : pods?.get(pod.uid)
    if (pods !== undefined && pod !== undefined && known === undefined) {
      held.push({ uid: pod.uid, pod: pod.name, address })
      continue
    }
    endpoints.push({
      input: inputOf(endpoint, port, (known ?? slice).labels),
      uid: pod?.uid,
      ready: endpoint.ready,
      created: known?.created ?? 0,
    })
  }
  return { endpoints, held }
}

function inputOf(
  { address, ready, serving, terminating, zone, forZones }: SliceEndpoint,
  port: number,
  set: LabelSet,
): EndpointInput {
  // A slice that is as before reports the same objects again.
  return lastingEndpoint({
    host: address,
    port,
    health: ready ? 'healthy' : 'unhealthy',
    // As kube-proxy: a terminating pod that still serves is the last resort; one that no longer serves is never used.
    enabled: !terminating || serving,
    ...(zone === undefined ? {} : { zone }),
    ...(forZones === undefined ? {} : { forZones: Object.freeze(forZones) }),
    tags: set.tags,
    metadata: set.labels,
  })
}

/**
 * Puts the slices of a service together. An address may stand in two slices: while the controller moves an endpoint, in
 * a Service for everybody and one for the lane, or because a new pod got the address of an old one.
 */
export function mergeSlices(slices: Iterable<JoinedSlice>): EndpointInput[] {
  const found = new Map<string, JoinedEndpoint>()
  const doubtful = new Set<string>()
  for (const { endpoints } of slices) {
    for (const one of endpoints) {
      const key = `${one.input.host} ${one.input.port}`
      const other = found.get(key)
      if (other === undefined) found.set(key, one)
      else if (one.uid === other.uid || one.created === 0) found.set(key, sameInstance(one, other))
      else if (one.created !== other.created) found.set(key, one.created > other.created ? one : other)
      else if (sameTags(one, other)) found.set(key, one.ready ? one : other)
      else doubtful.add(key)
    }
  }
  // Two pods with one address and two lanes, created in the same second: which of them is gone is not known.
  for (const key of doubtful) found.delete(key)
  return Array.from(found.values(), one => one.input)
}

/** Ready wins, as in kube-proxy; being in a lane wins over base, which must not get a lane's endpoint. */
function sameInstance(one: JoinedEndpoint, other: JoinedEndpoint): JoinedEndpoint {
  const better = one.ready || !other.ready ? one : other
  if (sameTags(one, other)) return better
  return { ...better, input: { ...better.input, tags: [...new Set([...tagsOf(one), ...tagsOf(other)])] } }
}

const NONE: readonly string[] = []
const tagsOf = (one: JoinedEndpoint) => one.input.tags ?? NONE

function sameTags(one: JoinedEndpoint, other: JoinedEndpoint): boolean {
  const [a, b] = [tagsOf(one), tagsOf(other)]
  return a === b || (a.length === b.length && a.every(tag => b.includes(tag)))
}
