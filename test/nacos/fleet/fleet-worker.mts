// One process of the fleet's load: many clients. Started by fleet-load.mts.
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneResolver } from '@laneway/discovery'
import { createNacosClient, createNacosSource } from '@laneway/nacos'

const [http, clients, services, instances] = process.argv.slice(2) as [string, string, string, string]
const names = Array.from({ length: Number(services) }, (_, index) => `fleet-${index}`)
const resolvers = Array.from({ length: Number(clients) }, () => {
  // Patient: on a busy machine a connection that is given up would be counted as the fleet's load.
  const client = createNacosClient({ servers: http, requestTimeoutMs: 60_000, warn: () => {} })
  return createLaneResolver({ sources: [createNacosSource(client)], services: names, readyTimeoutMs: 300_000 })
})

process.on('message', message => {
  // Ends what it holds at once: the parent stops the server next.
  if (message === 'stop') process.exit(0)
  void whenComplete().then(() => process.send?.('ready'))
})

process.on('disconnect', () => process.exit(0))

async function whenComplete(): Promise<void> {
  while (!resolvers.every(isComplete)) await sleep(500)
}

function isComplete(resolver: (typeof resolvers)[number]): boolean {
  return names.every(name => {
    const state = resolver.state(name)
    if (state?.status !== 'current') return false
    const gray = state.lanes.get('gray')?.endpoints ?? 0
    return state.base.endpoints + gray >= Number(instances)
  })
}
