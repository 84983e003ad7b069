import type { Server } from 'node:net'
import { isTag, type Lane, LanewayError, ownLane } from '@laneway/core'
import {
  assertKnownKeys,
  callback,
  describe,
  emitLanewayWarning,
  flag,
  milliseconds,
  numeric,
  OptionPlace,
  type OptionTable,
  readOptions,
  port as tcpPort,
  text,
  unchecked,
} from '@laneway/core/internal'
// Not from the index: the resolver would come with it.
import { tagsOfMetadata } from '@laneway/discovery/tags-of-metadata'
import type { NacosClient } from './client.js'
import { laneMetadata, mentionsLaneMetadata } from './lane-metadata.js'
import type { InstanceInput } from './naming/registrations.js'
import type { ServiceRef } from './naming/service-ref.js'

/** Options of {@link registerInstance}. */
export interface RegisterInstanceOptions {
  /** Nacos service name, without group. */
  service: string
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** @default the client's */
  namespace?: string
  /** The port others call. @default the port of `server` */
  port?: number
  /** Registration waits until it listens, and takes port and bound address from it. @default none */
  server?: Server
  /** Registration waits for this, so that no request comes before the app can serve it. @default registers at once */
  when?: Promise<unknown>
  /** The address others call. @default the address `server` is bound to, else the one this machine reaches Nacos from */
  ip?: string
  /** @default 1 */
  weight?: number
  /** @default 'DEFAULT' */
  cluster?: string
  /** `false` registers without taking traffic; see {@link Registration.update}. @default true */
  enabled?: boolean
  /**
   * Lane of this instance, written into the metadata in both forms; `base` says base.
   * @default the lane of the process (`ownLane()`); metadata that says a lane already is left alone
   */
  lane?: Lane | string
  /** @default {} */
  metadata?: Readonly<Record<string, string>>
  /**
   * How long `deregister` waits before it calls `drain`. Callers learn of the deregistration by the server's push, after
   * about 0.6 s. Spring callers go on calling for 35 s, unless `spring.cloud.loadbalancer.cache.ttl` is changed.
   * @default 3000
   */
  leaveDelayMs?: number
  /** Ends the requests that still run, e.g. `() => app.close()`; `deregister` calls it after the delay. @default nothing */
  drain?: () => unknown
}

/** An instance that is registered. */
export interface Registration {
  readonly service: string
  readonly ip: string
  readonly port: number
  readonly metadata: Readonly<Record<string, string>>
  /**
   * Changes weight, `enabled` or metadata (whole, the lane keys are kept).
   *
   * @throws LanewayError `LANEWAY_NACOS_REFUSED`, `LANEWAY_AUTH`, `LANEWAY_CLOSED`
   */
  update(change: { weight?: number; enabled?: boolean; metadata?: Readonly<Record<string, string>> }): Promise<void>
  /** Deregisters, waits `leaveDelayMs`, calls `drain`. Idempotent. Rejects only with what `drain` throws. */
  deregister(): Promise<void>
}

const WHERE = 'registerInstance'

const OPTIONS = {
  service: text(undefined),
  group: text(undefined),
  namespace: unchecked<string>(),
  port: tcpPort(undefined),
  server: unchecked<Server>(),
  when: unchecked<Promise<unknown>>(),
  ip: text(undefined),
  weight: numeric(1, 0, 10_000),
  cluster: text(undefined),
  enabled: flag(true),
  lane: unchecked<Lane | string>(),
  metadata: unchecked<Readonly<Record<string, string>>>({}),
  leaveDelayMs: milliseconds(3_000),
  drain: callback<() => unknown>(),
} satisfies OptionTable<RegisterInstanceOptions>

/**
 * Registers this process as an instance, ephemeral, in its lane. Resolves when the server has taken it; while no server
 * can be reached it waits, so an app that must start without Nacos does not await it.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`, `LANEWAY_NACOS_REFUSED`, `LANEWAY_AUTH`, `LANEWAY_CLOSED`
 */
export async function registerInstance(client: NacosClient, options: RegisterInstanceOptions): Promise<Registration> {
  const read = readOptions(WHERE, options, OPTIONS)
  const { group, namespace, server, when, cluster, leaveDelayMs, drain } = read
  const place = new OptionPlace(WHERE)
  const { service } = read
  if (service === undefined) throw place.at('service').invalid('is missing')
  if (read.port === undefined && server === undefined) throw place.invalid('needs port or server')
  const laneKeys = laneKeysOf(read.lane, read.metadata)
  if (server !== undefined && !server.listening) await listening(server)
  await when
  const bound = server?.address()
  const own = typeof bound === 'object' && bound !== null ? bound : undefined
  const port = read.port ?? own?.port
  if (port === undefined) throw place.at('server').unexpected('a TCP server', bound)
  const ip = read.ip ?? specific(own?.address) ?? (await reachedFrom(client))
  const ref: ServiceRef = {
    service,
    ...(group !== undefined && { group }),
    ...(namespace !== undefined && { namespace }),
  }
  let instance: InstanceInput = {
    ip,
    port,
    weight: read.weight,
    enabled: read.enabled,
    ...(cluster !== undefined && { cluster }),
    metadata: Object.freeze({ ...read.metadata, ...laneKeys }),
  }
  await client.naming.register(ref, instance)
  if (read.ip === undefined && isLoopback(ip)) warnOfLoopback(client, service, `${ip}:${port}`)
  let deregistering: Promise<void> | undefined
  const deregister = async (): Promise<void> => {
    await client.naming.deregister(ref, { ip, port })
    await new Promise(resolve => setTimeout(resolve, leaveDelayMs))
    await drain?.()
  }
  return Object.freeze({
    service,
    ip,
    port,
    get metadata() {
      return instance.metadata ?? {}
    },
    update: async change => {
      assertKnownKeys('update', change, ['weight', 'enabled', 'metadata'])
      if (deregistering !== undefined) throw new LanewayError('LANEWAY_CLOSED', `${service} is deregistered`)
      const { metadata, ...rest } = change
      if (metadata !== undefined) assertTags(metadata)
      const next = {
        ...instance,
        ...rest,
        ...(metadata !== undefined && { metadata: Object.freeze({ ...metadata, ...laneKeys }) }),
      }
      await client.naming.register(ref, next)
      instance = next
    },
    deregister: () => {
      deregistering ??= deregister()
      return deregistering
    },
  } satisfies Registration)
}

/** The keys to add to the metadata: none where the user has written the lane there. */
function laneKeysOf(
  lane: Lane | string | undefined,
  metadata: Readonly<Record<string, string>>,
): Record<string, string> {
  const isWritten = mentionsLaneMetadata(metadata)
  if (isWritten && lane !== undefined) {
    throw new OptionPlace(WHERE, ['lane']).unexpected('given once, as an option or in the metadata', lane)
  }
  if (!isWritten) return laneMetadata(lane ?? ownLane())
  assertTags(metadata)
  return {}
}

/** Callers ignore an instance whose tag they cannot read: it would be registered and get no request. */
function assertTags(metadata: Readonly<Record<string, string>>): void {
  for (const tag of tagsOfMetadata(metadata)) {
    if (isTag(tag)) continue
    throw new LanewayError(
      'LANEWAY_INVALID_TAG',
      `registerInstance: the metadata has the tag ${describe(tag)}; a tag is 1 to 63 characters of A-Z a-z 0-9 . _ - that ` +
        'begin and end with a letter or digit',
    )
  }
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
}

/** A wildcard address is where a server listens, not where it can be called. */
function specific(address: string | undefined): string | undefined {
  return address === undefined || address === '0.0.0.0' || address === '::' ? undefined : address
}

function isLoopback(ip: string): boolean {
  return ip.startsWith('127.') || ip === '::1'
}

/** On another machine the address leads to that machine itself, where something else may listen on the port. */
function warnOfLoopback({ naming: { localAddress } }: NacosClient, service: string, address: string): void {
  if (localAddress === undefined || isLoopback(localAddress)) return
  emitLanewayWarning(
    `${service} is registered as ${address}, because its server listens there, and no other machine can reach it; let the ` +
      'server listen on 0.0.0.0, or say the address that callers reach (ip, LANEWAY_IP)',
  )
}

async function reachedFrom(client: NacosClient): Promise<string> {
  for (;;) {
    const address = client.naming.localAddress
    if (address !== undefined) return address
    try {
      await client.ready()
    } catch (error) {
      // As registering itself: a server that is down is waited for.
      if ((error as LanewayError).code !== 'LANEWAY_NACOS_UNAVAILABLE') throw error
    }
  }
}
