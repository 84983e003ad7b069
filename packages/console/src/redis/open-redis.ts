import { createRequire } from 'node:module'
import { join } from 'node:path'
import { missingPackage } from '@laneway/core/internal'
import { connectionOf, type RedisConnection } from '@laneway/messaging/internal'

/** A connection that can be ended. */
export interface OpenRedis extends RedisConnection {
  end(): void
}

/** A Redis that is frozen takes connections and answers nothing. */
const TIMEOUT_MS = 5000

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
  const end = () => (client.destroy ?? client.disconnect).call(client)
  try {
    await inTime(client.connect(), 'connection')
  } catch (error) {
    end()
    throw error
  }
  const { call } = connectionOf(client)
  return { call: (...args) => inTime(call(...args), String(args[0])), end }
}

/** Rejects when the answer takes too long. */
function inTime<T>(answer: Promise<T>, to: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer to ${to} within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

function openIoredis(load: NodeJS.Require, url: string) {
  const found = loaded(load, 'ioredis')
  if (found === undefined) return undefined
  // Whoever reads connects anew; a command without connection fails at once.
  const options = { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: TIMEOUT_MS }
  return new found.Redis(url, options)
}

function openNodeRedis(load: NodeJS.Require, url: string, folder: string) {
  const found = loaded(load, 'redis')
  if (found === undefined) {
    const cause = Object.assign(new Error("Cannot find module 'ioredis'"), { code: 'MODULE_NOT_FOUND' })
    throw missingPackage('ioredis', `redisReader in ${folder}`, cause)!
  }
  return found.createClient({ url, socket: { reconnectStrategy: false, connectTimeout: TIMEOUT_MS } })
}

function loaded(load: NodeJS.Require, name: string): any {
  try {
    return load(name)
  } catch (error) {
    if (missingPackage(name, '', error) === undefined) throw error
    return undefined
  }
}
