import { resolve } from 'node:path'
import { DEFAULT_HEADER, OptionPlace } from '@laneway/core/internal'
import { serviceOfBackend } from '../resolve-options.js'
import type { ServiceOf } from '../route/backend.js'
import type { GatewayConfig } from './config.js'
import { readText } from './read-text.js'

/**
 * The options of `createGateway` that a configuration holds.
 *
 * @param folder - where files of TLS are; `undefined` leaves them unread
 */
export function optionsOf(config: GatewayConfig, folder: string | undefined) {
  const { header, proxies, forwarded, hostHeader, privateAnswers, propagateTo, admin, trust, trace, drain } = config
  const { client, upstream, listeners = [{ port: 8080 }], accessLog = true } = config
  const single = { header, proxies, forwarded, hostHeader, privateAnswers, propagateTo, trust, trace }
  const given = { ...single, admin, client, upstream }
  return {
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<
      Pick<GatewayConfig, keyof typeof given>
    >),
    drain: { delayMs: 5000, ...drain },
    accessLog,
    serviceOf: serviceOfConfig(config),
    listeners: listeners.map(({ tls, ...listener }, index) => ({
      ...listener,
      ...(tls !== undefined && { tls: folder === undefined ? {} : readTls(tls, folder, index) }),
    })),
  }
}

/** The headers that carry the lane, in lower case. What is no such name is reported with the options. */
export function laneHeadersOf({ header = DEFAULT_HEADER }: Partial<GatewayConfig>): string[] {
  return [header].flat().map(name => String(name).toLowerCase())
}

/** The names of a listener's TLS files and options. */
export const TLS_KEYS: readonly string[] = ['cert', 'key', 'ca', 'http2']

/** In Kubernetes, and on an endpoints server, the backends of a route are in the namespace of the route. */
export function serviceOfConfig({ discovery }: Partial<GatewayConfig>): ServiceOf {
  if ((discovery?.kubernetes ?? false) === false && discovery?.http === undefined) return serviceOfBackend
  return (backend, route) => {
    const namespace = backend.namespace ?? route.metadata?.namespace
    return namespace === undefined ? backend.name : `${backend.name}.${namespace}`
  }
}

/**
 * Reads the files of a listener's TLS, whose keys have been checked.
 *
 * @param wanted - the keys that must be there
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function readTls(
  tls: { cert?: unknown; key?: unknown; ca?: unknown; http2?: boolean },
  folder: string,
  index: number,
  wanted: readonly ('cert' | 'key' | 'ca')[] = ['cert', 'key'],
): { cert: string; key: string; ca?: string; requestCert?: true; http2?: boolean } {
  const read = (key: 'cert' | 'key' | 'ca'): string => {
    const place = new OptionPlace('', ['listeners', index, 'tls', key])
    const name = tls[key]
    if (typeof name !== 'string') throw place.unexpected('a file name', name)
    return readText(resolve(folder, name), place)
  }
  const text = (key: 'cert' | 'key'): string => (wanted.includes(key) ? read(key) : '')
  return {
    cert: text('cert'),
    key: text('key'),
    ...(tls.ca !== undefined && { ca: read('ca'), requestCert: true as const }),
    ...(tls.http2 !== undefined && { http2: tls.http2 }),
  }
}
