import type { Kube } from '../kube.js'

/** A namespace with many Services, each with one slice. */
export interface BigShop {
  readonly services: readonly string[]
  /** Replaces the pods of every tenth service, as a roll-out does: new pod, its address, old address, old pod. */
  rollOut(): Promise<number>
}

interface Endpoint {
  readonly address: string
  readonly uid: string
  readonly pod: string
}

const AT_ONCE = 16

export async function fillShop(kube: Kube, services: number, podsEach: number): Promise<BigShop> {
  const names = Array.from({ length: services }, (_, index) => `service-${index}`)
  const endpoints = new Map<string, Endpoint[]>()
  let count = 0

  async function startPod(service: string): Promise<Endpoint> {
    const id = ++count
    const pod = `${service}-${id}`
    const tag = id % 10 === 0 ? { 'alicloud.service.tag': 'gray' } : {}
    const { metadata } = await kube.pod(pod, { app: service, ...tag })
    const address = `10.${20 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}`
    return { address, uid: metadata.uid, pod }
  }
  const put = (method: string, service: string) =>
    kube.call(
      method,
      kube.slices(method === 'PUT' ? `${service}-1` : ''),
      kube.slice(`${service}-1`, service, endpoints.get(service)!),
    )

  await each(names, async service => {
    // Without controller: the slices are written here, so that nothing is late.
    await kube.call('POST', kube.path('/api/v1', 'services'), {
      metadata: { name: service, labels: { app: service } },
      spec: { selector: { app: service }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] },
    })
    const own: Endpoint[] = []
    for (let i = 0; i < podsEach; i++) own.push(await startPod(service))
    endpoints.set(service, own)
    await put('POST', service)
  })

  return {
    services: names,
    async rollOut() {
      let replaced = 0
      await each(
        names.filter((_, index) => index % 10 === 0),
        async service => {
          const own = endpoints.get(service)!
          for (let i = 0; i < podsEach; i++) {
            const old = own[0]!
            own.push(await startPod(service))
            await kube.report(own.at(-1)!.pod, own.at(-1)!.address, true)
            await put('PUT', service)
            own.shift()
            await put('PUT', service)
            await kube.call('DELETE', kube.path('/api/v1', `pods/${old.pod}`))
            replaced++
          }
        },
      )
      return replaced
    },
  }
}

async function each<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item)
    }),
  )
}
