// An API server with one Service: `node kubernetes.js <slices> <endpoints of a slice>`. Asked to, it gives one pod a
// lane, and answers with the bytes that this puts on the wire.
import { KubernetesApi } from '../../../packages/testkit/src/kubernetes/kubernetes-api.js'

const PODS = '/api/v1/namespaces/shop/pods'
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices'
const [slices, each] = process.argv.slice(2).map(Number) as [number, number]
const api = await KubernetesApi.start({ teardown() {} })

function putPod(id: number, turn: number): unknown {
  const labels = {
    app: 'orders',
    'pod-template-hash': '6d4b75cb6d',
    ...(turn > 0 && { 'alicloud.service.tag': `l${turn}` }),
  }
  return api.store.put(PODS, { metadata: { name: `orders-${id}`, uid: `uid-${id}`, labels }, spec: { nodeName: 'n' } })
}

function putSlice(slice: number, turn: number): unknown {
  return api.store.put(SLICES, {
    metadata: {
      name: `orders-${slice}`,
      labels: { 'kubernetes.io/service-name': 'orders' },
      annotations: { turn: `${turn}` },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: Array.from({ length: each }, (_, i) => {
      const id = slice * each + i
      return {
        addresses: [`10.${(id >> 16) & 255}.${(id >> 8) & 255}.${id & 255}`],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: `node-${id % 200}`,
        targetRef: { kind: 'Pod', namespace: 'shop', name: `orders-${id}`, uid: `uid-${id}` },
        zone: 'z1',
      }
    }),
  })
}

for (let id = 0; id < slices * each; id++) putPod(id, 0)
for (let slice = 0; slice < slices; slice++) putSlice(slice, 0)
const lists = JSON.stringify({ items: [...api.store.items(SLICES), ...api.store.items(PODS)] })
process.on('message', (turn: number) => {
  const changed = [putPod(turn, turn), putSlice(Math.floor(turn / each), turn)]
  process.send!({ bytes: changed.map(object => JSON.stringify({ type: 'MODIFIED', object })).join('\n') })
})
process.on('disconnect', () => process.exit())
process.send!({ kubeconfig: api.kubeconfig('shop'), lists })
