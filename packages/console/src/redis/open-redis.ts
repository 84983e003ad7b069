import { createRequire } from 'node:module'
import { join } from 'node:path'
import { missingPackage } from '@laneway/core/internal'
import { connectionOf, type RedisConnection } from '@laneway/messaging/internal'

/** A connection that can be ended. */
export interface OpenRedis extends RedisConnection {
  end(): void
}

/**
 * Connects with the ioredis of the project in a folder, else with its node-redis.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION` when it has neither
 */
export async function openRedis(url: string, folder: string): Promise<OpenRedis> {
  const load = createRequire(join(folder, 'package.json'))
  const client = openIoredis(load, url) ?? openNodeRedis(load, url, folder)
  // A command says that the connection is lost; without a listener the event ends the process.
  client.on('error', () => {})
  await client.connect()
  return { ...connectionOf(client), end: () => (client.destroy ?? client.disconnect).call(client) }
}

function openIoredis(load: NodeJS.Require, url: string) {
  const found = loaded(load, 'ioredis')
  if (found === undefined) return undefined
  // Whoever reads connects anew; a command without connection fails at once.
  const options = { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: 5000 }
  return new found.Redis(url, options)
}

function openNodeRedis(load: NodeJS.Require, url: string, folder: string) {
  const found = loaded(load, 'redis')
  if (found === undefined) {
    const cause = Object.assign(new Error("Cannot find module 'ioredis'"), { code: 'MODULE_NOT_FOUND' })
    throw missingPackage('ioredis', `redisReader in ${folder}`, cause)!
  }
  return found.createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 5000 } })
}

function loaded(load: NodeJS.Require, name: string): any {
  try {
    return load(name)
  } catch (error) {
    if (missingPackage(name, '', error) === undefined) throw error
    return undefined
  }
}
