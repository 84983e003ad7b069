import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNacosClient } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import type { Instance } from './fleet.js'

/** Where the services of the demo find each other. */
export interface Registry {
  /** For the first line of the demo. */
  readonly name: string
  /** What a service needs in its environment to use it. */
  environment(): Record<string, string>
  /** The address that services listen on. @default 127.0.0.1 */
  readonly host?: string
  /** Tells of an instance, where the instances do not register themselves. */
  add?(instance: Instance): void | Promise<void>
  /** Publishes the configuration of service A, where there is a Nacos. */
  publish?(content: string): Promise<void>
  /** See `add`. */
  remove?(instance: Instance): void | Promise<void>
  close(): Promise<void>
}

/** What A follows, and what it says while nobody has changed it. */
const CONFIG = { dataId: 'sc-A.config', content: 'base' }

/** A Nacos server that is running already. The configuration of A is there as long as the play. */
export async function useNacos(address: string, name = `Nacos at ${address}`): Promise<Registry> {
  const client = createNacosClient({ servers: address })
  const publish = async (content: string) => {
    await client.config.publish(CONFIG.dataId, content)
  }
  await publish(CONFIG.content)
  return {
    name,
    environment: () => ({ NACOS: address }),
    publish,
    async close() {
      await client.config.remove(CONFIG.dataId).finally(() => client.close())
    },
  }
}

/** The in-memory server that speaks Nacos' protocol, with the batching of a real one. */
export async function startNacosDevServer(): Promise<Registry> {
  const server = await createNacosDevServer({ port: 0 }).start()
  const registry = await useNacos(server.address, `an in-memory server with Nacos' protocol (${server.address})`)
  return { ...registry, close: () => registry.close().finally(() => server.close()) }
}

/**
 * A real API server of Kubernetes, with a pod and a slice for each instance. The first time it is built, which takes Go
 * and minutes; the program has to run in the network namespace that `inNetworkNamespace` makes.
 *
 * @throws Error where it cannot be had
 */
export async function startKubernetes(): Promise<Registry> {
  const servers = '../../../test/servers/kubernetes'
  const { installControlPlane } = await import(`${servers}/install.mjs`)
  const problem = installControlPlane()
  if (problem !== undefined) throw new Error(`no Kubernetes API server: ${problem}`)
  const { startControlPlane } = await import(`${servers}/start.mjs`)
  const { createKubernetesRegistry } = await import(`${servers}/registry.mjs`)
  const plane = await startControlPlane()
  const registry = await createKubernetesRegistry({ kubeconfig: plane.kubeconfig })
  const named = ({ service, tag, address }: Instance) => ({ service: `sc-${service}`, tag, address })
  return {
    name: 'a real Kubernetes API server',
    host: registry.host,
    environment: () => ({ ...registry.environment(), HOST: registry.host }),
    add: instance => registry.add(named(instance)),
    remove: instance => registry.remove(named(instance)),
    async close() {
      await registry.close()
      await plane.stop()
    },
  }
}

/**
 * Runs this program again where the services can have an address that Kubernetes takes: slices refuse loopback.
 *
 * @returns whether another run has done the work
 * @throws Error where no network namespace can be made
 */
export async function inNetworkNamespace(): Promise<boolean> {
  const { runInNetworkNamespace } = await import('../../../test/servers/kubernetes/registry.mjs' as string)
  const done = runInNetworkNamespace()
  if (typeof done === 'string') throw new Error(done)
  return done
}

/** A JSON file that the driver keeps up to date, as a ConfigMap would be. */
export function createFileRegistry(): Registry {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-demo-'))
  const file = join(folder, 'endpoints.json')
  const services: Record<string, { host: string; port: number; tags: string[] }[]> = {
    'sc-A': [],
    'sc-B': [],
    'sc-C': [],
  }
  const write = () => {
    writeFileSync(`${file}.new`, JSON.stringify({ services }, null, 2))
    renameSync(`${file}.new`, file)
  }
  const place = ({ service, address }: Instance) => {
    const [host = '', port = ''] = address.split(':')
    return { name: `sc-${service.toUpperCase()}`, host, port: Number(port) }
  }
  write()
  return {
    name: 'a file',
    environment: () => ({ ENDPOINTS_FILE: file }),
    add(instance) {
      const { name, host, port } = place(instance)
      services[name]?.push({ host, port, tags: instance.tag === '' ? [] : [instance.tag] })
      write()
    },
    remove(instance) {
      const { name, port } = place(instance)
      services[name] = (services[name] ?? []).filter(one => one.port !== port)
      write()
    },
    async close() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
