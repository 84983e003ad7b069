// What one process pays that follows 500 services with 20,000 endpoints: memory, processor share at idle and under 10 changes
// a second, and its longest turn of the event loop.
//
//   node --import tsx --conditions=@laneway/source test/many-services/run.mts [static] [file] [http] [kubernetes]
//
// The process under measure is a child of its own; changes come from here. Kubernetes is the API server of the test kit.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStaticSource } from '@laneway/discovery'
import { KubernetesApi } from '@laneway/testkit'
import { EndpointsServer } from '../../packages/laneway/src/endpoints/endpoints-server.js'
import { type Measured, type Services, servicesOf } from './services.mjs'

const CHANGES_PER_SECOND = 10
const kinds = process.argv.length > 2 ? process.argv.slice(2) : ['static', 'file', 'http', 'kubernetes']
const ends: (() => unknown)[] = []
/** Over all sources: a list that is as before is no change. */
let count = 0
const t = { teardown: (end: () => unknown) => void ends.unshift(end) }
const folder = mkdtempSync(join(tmpdir(), 'laneway-many-'))
t.teardown(() => rmSync(folder, { recursive: true }))

console.log(
  '| source | start | heap | idle | 10 changes a second | longest turn: start, idle, changes | rebuilt for 10 changes |',
)
console.log('|---|---|---|---|---|---|---|')
for (const kind of kinds) {
  const { args, change } = await registry(kind)
  const measured = await measure(kind, args, change)
  const { startMs, heapMiB, idle, changing, turns, rebuilt } = measured
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  console.log(
    `| ${kind} | ${Math.round(startMs)} ms | ${heapMiB.toFixed(1)} MiB | ${percent(idle)} | ${percent(changing)} | ` +
      `${turns.map(ms => ms.toFixed(1)).join(', ')} ms | ${rebuilt} |`,
  )
}
for (const end of ends) await end()

/** @returns how the child reaches the registry, and what changes one service there; `undefined`: the child does it */
async function registry(kind: string): Promise<{ args: string[]; change: ((count: number) => unknown) | undefined }> {
  if (kind === 'static') return { args: [], change: undefined }
  if (kind === 'file') {
    const file = join(folder, 'endpoints.json')
    const write = (services: Services) => {
      writeFileSync(`${file}.next`, JSON.stringify({ services }))
      renameSync(`${file}.next`, file)
    }
    write(servicesOf(0))
    return { args: [file], change: count => write(servicesOf(count)) }
  }
  if (kind === 'http') {
    const source = createStaticSource(servicesOf(0))
    const server = new EndpointsServer({ source, hasNamespaces: false, maxClients: 10 })
    await new Promise<void>(resolve => server.server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { port } = server.server.address() as AddressInfo
    return { args: [`http://127.0.0.1:${port}`], change: count => source.update(servicesOf(count)) }
  }
  const api = await KubernetesApi.start(t)
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, api.kubeconfig('shop'))
  const path = (group: string, name: string) => `${group}/namespaces/shop/${name}`
  const put = (service: string, endpoints: Services[string]) => {
    for (const { host, tags } of endpoints) {
      const labels = { app: service, ...(tags.length > 0 && { 'alicloud.service.tag': tags[0]! }) }
      if (api.store.get(path('/api/v1', 'pods'), `pod-${host}`) === undefined)
        api.store.put(path('/api/v1', 'pods'), { metadata: { name: `pod-${host}`, uid: `uid-${host}`, labels } })
    }
    api.store.put(path('/apis/discovery.k8s.io/v1', 'endpointslices'), {
      metadata: { name: `${service}-1`, labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      endpoints: endpoints.map(({ host }) => ({
        addresses: [host],
        conditions: { ready: true },
        targetRef: { kind: 'Pod', name: `pod-${host}`, uid: `uid-${host}` },
      })),
    })
  }
  for (const [service, endpoints] of Object.entries(servicesOf(0))) {
    api.store.put(path('/api/v1', 'services'), { metadata: { name: service }, spec: { selector: { app: service } } })
    put(service, endpoints)
  }
  return {
    args: [file],
    change(count) {
      const all = servicesOf(count)
      const service = Object.keys(all)[(count * 7) % Object.keys(all).length]!
      put(service, all[service]!)
    },
  }
}

async function measure(
  kind: string,
  args: string[],
  change: ((count: number) => unknown) | undefined,
): Promise<Measured> {
  const flags = ['--expose-gc', '--import', 'tsx', '--conditions=@laneway/source']
  const program = join(import.meta.dirname, 'process.mts')
  const child = spawn(process.execPath, [...flags, program, kind, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let timer: NodeJS.Timeout | undefined
  let result: Measured | undefined
  child.on('message', (message: 'change' | 'rest' | Measured) => {
    if (message === 'change') timer = setInterval(() => change?.(++count), 1000 / CHANGES_PER_SECOND)
    else if (message === 'rest') clearInterval(timer)
    else result = message
  })
  await once(child, 'exit')
  clearInterval(timer)
  if (result === undefined) throw new Error(`the process with the source ${kind} said nothing`)
  return result
}
