/** Kinds by what users call them: the plural, the singular, kubectl's short name. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  Rollout: ['rollout', 'rollouts', 'ro'],
  TrafficRouting: ['trafficrouting', 'trafficroutings'],
  BatchRelease: ['batchrelease', 'batchreleases'],
  Deployment: ['deployment', 'deployments', 'deploy'],
  ReplicaSet: ['replicaset', 'replicasets', 'rs'],
  Pod: ['pod', 'pods', 'po'],
  Service: ['service', 'services', 'svc'],
  Ingress: ['ingress', 'ingresses', 'ing'],
  HTTPRoute: ['httproute', 'httproutes'],
  ConfigMap: ['configmap', 'configmaps', 'cm'],
  Secret: ['secret', 'secrets'],
  Namespace: ['namespace', 'namespaces', 'ns'],
}

/**
 * @param text - `rollouts`, `rollout.rollouts.kruise.io` or `deploy`
 * @throws Error as kubectl refuses what it does not know
 */
export function kindOf(text: string): string {
  const word = text.split('.')[0]!.toLowerCase()
  for (const [kind, names] of Object.entries(ALIASES)) if (names.includes(word)) return kind
  throw new Error(`error: the server doesn't have a resource type "${text}"`)
}

/** `deployment.apps/spring-cloud-a`, as kubectl names what it has done something to. */
export function resourceName({ apiVersion, kind, metadata }: Named): string {
  return `${resourceType({ apiVersion, kind })}/${metadata.name}`
}

/** `deployment.apps` */
export function resourceType({ apiVersion, kind }: Pick<Named, 'apiVersion' | 'kind'>): string {
  const [group, version] = apiVersion.split('/')
  return version === undefined ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`
}

/** The group of a kind that the play has objects of, for messages about one that is not there. */
export function pluralOf(kind: string): string {
  const group = GROUPS[kind]
  const plural = ALIASES[kind]?.[1] ?? `${kind.toLowerCase()}s`
  return group === undefined ? plural : `${plural}.${group}`
}

const GROUPS: Readonly<Record<string, string>> = {
  Rollout: 'rollouts.kruise.io',
  TrafficRouting: 'rollouts.kruise.io',
  BatchRelease: 'rollouts.kruise.io',
  Deployment: 'apps',
  ReplicaSet: 'apps',
  Ingress: 'networking.k8s.io',
  HTTPRoute: 'gateway.networking.k8s.io',
}

interface Named {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}
