import type { AddressInfo } from 'node:net'
import { RegistryView } from '@laneway/discovery/internal'
import { hasRegistry, openRegistries, readSettings, type SourceOptions } from '../registry/settings.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'
import { EndpointsServer } from './endpoints-server.js'

export interface EndpointsOptions extends SourceOptions {
  readonly serve?: boolean
  readonly listen: string
  readonly maxClients: number
  readonly timeout: number
}

/** Prints the endpoints of a registry as a services file; with `--serve`, serves them to other processes until it is ended. */
export async function endpoints(options: EndpointsOptions, world: CommandWorld): Promise<number> {
  const config = readSettings(world, options)
  const count = [config.kubernetes, config.endpointsFile !== undefined, config.nacos.length > 0].filter(Boolean).length
  if (!hasRegistry(config) || count !== 1) {
    world.writeError('name one registry: --kubernetes, --file endpoints.json or --nacos host:8848\n')
    return EXIT.usage
  }
  if (options.serve && config.nacos.length > 0) {
    world.writeError('--serve is not for Nacos: it pushes to each process by itself\n')
    return EXIT.usage
  }
  const place = readPlace(options.listen)
  if (place === undefined) {
    world.writeError(
      `--listen ${JSON.stringify(options.listen)} is no address: 127.0.0.1:7070, [::1]:7070 or 0.0.0.0:7070\n`,
    )
    return EXIT.usage
  }
  const { resolver, sources } = openRegistries(config, message => world.writeError(`${message}\n`))
  const [source] = sources
  if (resolver === undefined || source === undefined) return EXIT.usage
  try {
    if (!options.serve) return await print(sources, options.timeout, world)
    const server = new EndpointsServer({ source, hasNamespaces: config.kubernetes, maxClients: options.maxClients })
    // Follows the registry from now on, so that the first client does not wait, and /readyz says what is.
    const stop = source.list?.(() => {})
    try {
      const { address, port } = await listen(server, place)
      const host = address.includes(':') ? `[${address}]` : address
      world.write(`serving endpoints of ${source.name} ${source.where ?? ''} on http://${host}:${port}\n`)
      if (!isLoopback(address)) {
        world.writeError(`${host} can be reached from other machines: whoever reaches it reads addresses and labels\n`)
      }
      await ended(world.signal)
    } catch (error) {
      world.writeError(`cannot listen on ${options.listen}: ${(error as Error).message}\n`)
      return EXIT.wrong
    } finally {
      stop?.()
      await server.close()
    }
    return EXIT.ok
  } finally {
    await resolver.close()
  }
}

async function print(sources: ConstructorParameters<typeof RegistryView>[0], timeoutMs: number, world: CommandWorld) {
  const view = new RegistryView(sources)
  try {
    view.followAll()
    await view.settled(timeoutMs, world.signal)
    if (view.lost.length > 0) {
      for (const { source, error } of view.lost) {
        world.writeError(`${source.name} cannot be reached: ${error?.message ?? 'no answer in time'}\n`)
      }
      return EXIT.unreachable
    }
    const known = [...view.services].flatMap(([service, one]) =>
      one.endpoints ? [[service, one.endpoints] as const] : [],
    )
    world.write(`${JSON.stringify({ services: Object.fromEntries(known.sort()) }, null, 2)}\n`)
    return EXIT.ok
  } finally {
    view.close()
  }
}

interface Place {
  readonly host: string
  readonly port: number
}

function readPlace(text: string): Place | undefined {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) }
}

function listen({ server }: EndpointsServer, { host, port }: Place): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(server.address() as AddressInfo))
  })
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
