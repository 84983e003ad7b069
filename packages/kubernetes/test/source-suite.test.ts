import { type SuiteInstance, type SuiteServices, sourceSuite } from '@laneway/testkit'
import t from 'tap'
import { Cluster, PODS, SLICES } from './cluster.js'

/** Endpoints of one EndpointSlice, as the slice controller fills it. */
const PER_SLICE = 100

t.test('the Kubernetes source', t =>
  sourceSuite(t, {
    name: 'kubernetes',
    unknownService: 'missing',
    badEndpoint: 'dropped',
    async start(t) {
      const cluster = await Cluster.start(t)
      return {
        open: () => cluster.open(),
        publish: services => publish(cluster, services),
        lose() {
          cluster.api.faults.refuse = () => 503
          cluster.api.endWatches('reset')
        },
        restore() {
          delete cluster.api.faults.refuse
        },
      }
    },
  }),
)

/** The pods first and the slices after them, as a cluster does it. */
function publish({ api: { store } }: Cluster, services: SuiteServices): void {
  const kept = new Set<string>()
  const podOf = (name: string) => ({ kind: 'Pod', name, uid: store.get(PODS, name)!.metadata.uid! })
  for (const [service, instances] of Object.entries(services)) {
    for (const { host, labels } of instances) {
      if (labels === undefined) continue
      kept.add(`${PODS} ${service}-${host}`)
      // A pod that comes back is another one, so the store makes its uid.
      store.put(PODS, { metadata: { name: `${service}-${host}`, labels: { ...labels } } })
    }
    for (const { name, port, part } of slicesOf(service, instances)) {
      kept.add(`${SLICES} ${name}`)
      store.put(SLICES, {
        metadata: { name, labels: { 'kubernetes.io/service-name': service } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port, protocol: 'TCP' }],
        endpoints: part.map(({ host, healthy = true, zone, labels }) => ({
          addresses: [host],
          conditions: { ready: healthy },
          ...(zone !== undefined && { zone }),
          ...(labels !== undefined && { targetRef: podOf(`${service}-${host}`) }),
        })),
      })
    }
  }
  for (const collection of [SLICES, PODS]) {
    for (const { metadata } of store.items(collection)) {
      if (!kept.has(`${collection} ${metadata.name}`)) store.remove(collection, metadata.name)
    }
  }
}

/** All endpoints of a slice have the same ports. A service without instances has a slice without endpoints. */
function slicesOf(service: string, instances: readonly SuiteInstance[]) {
  const slices: { name: string; port: number; part: readonly SuiteInstance[] }[] = []
  const ports = new Set(instances.map(({ port }) => port))
  for (const port of ports.size === 0 ? [80] : ports) {
    const all = instances.filter(one => one.port === port)
    for (let from = 0; from === 0 || from < all.length; from += PER_SLICE) {
      slices.push({ name: `${service}-${port}-${from}`, port, part: all.slice(from, from + PER_SLICE) })
    }
  }
  return slices
}
