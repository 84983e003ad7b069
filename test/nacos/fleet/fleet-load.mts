// Measures what a fleet costs a real Nacos 3, in the server's own counters of requests:
//
//   npm run test:nacos -- fleet [PROCESSES=200] [SERVICES=30] [IDLE_SECONDS=120]
//
// Each client stands for one process: a client, a source and a resolver of its own, and declared services. Ten providers
// register one instance of each service; the roll-out replaces one of them.
import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNacosClient, laneMetadata, type NacosClient } from '@laneway/nacos'
import { difference, readCounters } from './server-counters.mjs'

const { startNacos } = (await import('../../servers/nacos/start.mjs' as string)) as any
const [processes = 200, services = 30, idleSeconds = 120] = process.argv.slice(2, 5).map(Number)
const PROVIDERS = 10
const WORKERS = 4
const names = Array.from({ length: services }, (_, index) => `fleet-${index}`)

let nacos = await start()
const { http, port } = nacos
const counters = () => readCounters(http)
const providers: NacosClient[] = []
for (let index = 0; index < PROVIDERS; index++) providers.push(await provide(index))

let before = await counters()
const workers = await Promise.all(Array.from({ length: WORKERS }, startWorker))
await ready()
report('start', before, await settled())

before = await counters()
await sleep(idleSeconds * 1_000)
report(`idle for ${idleSeconds} s`, before, await counters())

before = await counters()
await providers.shift()!.close()
providers.push(await provide(PROVIDERS))
report('roll-out of 10 %', before, await settled())

await nacos.stop()
nacos = await start({ port })
await ready()
report('restart of the registry', new Map(), await settled())

for (const worker of workers) worker.send('stop')
await Promise.all(providers.map(one => one.close()))
await nacos.stop()

/** On a busy machine its database gives up on its own start, which is worth another attempt. */
async function start(options: object = {}, attempts = 5): Promise<any> {
  try {
    return await startNacos('nacos3', options)
  } catch (error) {
    if (attempts === 1) throw error
    return start(options, attempts - 1)
  }
}

async function provide(index: number): Promise<NacosClient> {
  const client = createNacosClient({ servers: http, requestTimeoutMs: 60_000, warn: () => {} })
  const metadata = laneMetadata(index % 2 === 0 ? undefined : 'gray')
  await Promise.all(
    names.map(service => client.naming.register({ service }, { ip: `10.0.0.${index + 1}`, port: 80, metadata })),
  )
  return client
}

function startWorker() {
  const file = fileURLToPath(new URL('./fleet-worker.mts', import.meta.url))
  return fork(file, [http, String(processes / WORKERS), String(services), String(PROVIDERS)], {
    execArgv: ['--import', 'tsx', '--conditions=@laneway/source'],
  })
}

/** Every worker has every instance of every service. */
async function ready(): Promise<void> {
  const answers = workers.map(worker => new Promise(resolve => worker.once('message', resolve)))
  for (const worker of workers) worker.send('ready')
  await Promise.all(answers)
}

/** The counters, once the requests that are not health checks have stopped. */
async function settled(): Promise<Map<string, number>> {
  let last = await counters()
  for (;;) {
    await sleep(5_000)
    const now = await counters()
    const { health: _, ...others } = difference(last, now)
    if (Object.values(others).reduce((sum, count) => sum + count, 0) <= processes / 10) return now
    last = now
  }
}

function report(step: string, from: ReadonlyMap<string, number>, to: ReadonlyMap<string, number>): void {
  console.log(JSON.stringify({ step, processes, services, ...difference(from, to) }))
}
