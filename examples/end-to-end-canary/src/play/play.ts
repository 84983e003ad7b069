import { createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withBroker } from '../broker.js'
import { createClock } from '../cluster/clock.js'
import { type Cluster, createCluster } from '../cluster/cluster.js'
import { startDemoConsole } from '../console/demo-console.js'
import { Fleet } from '../fleet.js'
import { readManifests } from '../manifests/read-manifests.js'
import { servicesFolder } from '../mutations.js'
import type { PlayOptions } from '../options.js'
import { createFileRegistry, type Registry, startKubernetes, startNacosDevServer, useNacos } from '../registry.js'
import { ColouringLog } from './colouring-log.js'
import { entranceRules } from './entrance-rules.js'
import { gatewayConfig } from './gateway-config.js'
import { createPodProcesses } from './pod-processes.js'

/** A cluster whose pods are processes of this machine, and the entrance to it. */
export interface Play {
  readonly cluster: Cluster
  readonly fleet: Fleet
  readonly colouring: ColouringLog
  /** Of the entrance. */
  readonly url: string
  /** Of the console, with `--console`. */
  readonly consoleUrl: string | undefined
  /** For people: where the services find each other. */
  readonly meeting: string
  /** For people: who colours and routes. */
  readonly entrance: string
  /** Publishes the configuration of service A; `undefined` without Nacos. */
  readonly publish: Registry['publish']
  /** The file that has every change, one JSON line each. */
  readonly log: string
  close(): Promise<void>
}

/**
 * Starts the registry and the entrance that the manifests have; the rest comes when they are applied.
 *
 * @param manifests - a file or folder
 * @param folder - for rules and the log
 */
export async function startPlay(options: PlayOptions, manifests: string, folder: string): Promise<Play> {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const services = servicesFolder(root, options.register ? 'services-plain' : 'services', options.mutation)
  const found = await chooseRegistry(options)
  const registry =
    options.queue === undefined ? found : await withBroker(found, options.queue, options.console !== undefined)
  mkdirSync(folder, { recursive: true })
  const rules = join(folder, 'rules.json')
  const fleet = new Fleet(
    services.folder,
    registry,
    options.register,
    rules,
    options.grpc,
    options.console !== undefined,
  )
  const cluster = createCluster(createClock(options.speed), createPodProcesses(fleet), error => {
    if (!fleet.ending) console.error(error.message)
  })
  const colouring = new ColouringLog()
  followRoutes(cluster, rules, colouring)
  const log = join(folder, 'play.jsonl')
  const writeLog = createWriteStream(log)
  cluster.journal.listen(entry => {
    if (!writeLog.writableEnded) writeLog.write(`${JSON.stringify(entry)}\n`)
  })
  let closed = false
  let endConsole = async () => {}
  const close = async () => {
    if (closed) return
    closed = true
    await endConsole()
    cluster.stop()
    await new Promise<void>(resolve => writeLog.end(resolve))
    await fleet.close()
    await registry.close()
    services.remove()
  }
  try {
    const place = { host: registry.host ?? '127.0.0.1', port: options.port, rules, registry: registry.environment() }
    const config = gatewayConfig(readManifests(manifests), place)
    // A fault, and what needs no code, are in the other entrance.
    const isGateway = config !== undefined && options.mutation === undefined && !options.register
    const file = join(folder, 'gateway.json')
    if (isGateway) writeFileSync(file, JSON.stringify(config, null, 2))
    const entry = await fleet.start(isGateway ? 'gateway' : 'entry', '1', '', options.port, { GATEWAY_CONFIG: file })
    const url = `http://${entry.address}`
    const entrance = isGateway ? '@laneway/gateway' : 'a small entrance of this example'
    let consoleUrl: string | undefined
    if (options.console !== undefined) {
      const { store } = cluster
      const running = await startDemoConsole({
        registry,
        fleet,
        store,
        entrance: url,
        rules,
        port: options.console,
      })
      endConsole = running.close
      consoleUrl = running.url
    }
    const meeting = registry.name
    return { cluster, fleet, colouring, url, consoleUrl, meeting, entrance, publish: registry.publish, log, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function chooseRegistry({ file, kubernetes, nacos }: PlayOptions): Promise<Registry> {
  if (kubernetes) return startKubernetes()
  if (file) return createFileRegistry()
  return nacos === undefined ? startNacosDevServer() : useNacos(nacos)
}

/** Keeps the entrance's rules in step with the routes of the cluster. */
function followRoutes({ store }: Cluster, file: string, colouring: ColouringLog): void {
  let written = ''
  const write = () => {
    const rules = entranceRules(store)
    const text = JSON.stringify(rules.document, null, 2)
    if (text === written) return
    written = text
    colouring.note(rules.colouring)
    // The entrance sees the old rules or the new ones, never half of them.
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
  }
  write()
  store.watch(({ kind }) => {
    if (kind === 'TrafficRouting' || kind === 'HTTPRoute' || kind === 'Ingress') write()
  })
}
