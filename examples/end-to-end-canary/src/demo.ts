import { fileURLToPath } from 'node:url'
import { Fleet } from './fleet.js'
import { servicesFolder } from './mutations.js'
import { type DemoOptions, parseOptions } from './options.js'
import { Phases } from './phases.js'
import {
  createFileRegistry,
  inNetworkNamespace,
  type Registry,
  startKubernetes,
  startNacosDevServer,
  useNacos,
} from './registry.js'
import { playStory, showPaths, untilServed } from './story.js'

async function main(options: DemoOptions): Promise<number> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const services = servicesFolder(root, options.register ? 'services-plain' : 'services', options.mutation)
  const registry = await chooseRegistry(options)
  const fleet = new Fleet(services.folder, registry, options.register)
  const close = async () => {
    await fleet.close()
    await registry.close()
    services.remove()
  }
  const interrupted = new Promise<number>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(130))
  })
  try {
    return await Promise.race([play(options, fleet, registry.name, interrupted), interrupted])
  } finally {
    await close()
  }
}

async function chooseRegistry({ file, kubernetes, nacos }: DemoOptions): Promise<Registry> {
  if (kubernetes) return startKubernetes()
  if (file) return createFileRegistry()
  return nacos === undefined ? startNacosDevServer() : useNacos(nacos)
}

async function play(
  options: DemoOptions,
  fleet: Fleet,
  registry: string,
  interrupted: Promise<number>,
): Promise<number> {
  console.log(`starting A, B and C as base 2.0.0 and the entrance; they find each other through ${registry}`)
  if (options.mutation !== undefined) console.log(`with a fault built in: ${options.mutation}`)
  const [entry] = await Promise.all([
    fleet.start('entry', '1', '', options.port),
    ...['a', 'b', 'c'].map(name => fleet.start(name, '2.0.0')),
  ])
  const url = `http://${entry?.address}`
  await untilServed(url)
  await showPaths(url)
  const phases = new Phases(fleet, 'gray')
  phases.startLoad(`${url}/a`, options.rate)
  await playStory(fleet, phases, url)
  const well = await phases.finish()
  console.log(well ? '\nno request failed, none was in a wrong lane, none was late' : '\nNOT WELL: see the table')
  if (options.keep) {
    console.log(`\nstill running: curl ${url}/a -H 'User-Agent: xiaoming'; Ctrl-C ends it`)
    await interrupted
  }
  return well ? 0 : 1
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options !== 'help' && !(options.kubernetes && (await inNetworkNamespace())))
    process.exitCode = await main(options)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
