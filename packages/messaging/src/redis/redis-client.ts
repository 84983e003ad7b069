/** What is needed of ioredis, structurally. */
export interface IoredisClient {
  call(command: string, ...args: any[]): Promise<any>
  duplicate(options?: any): any
}

/** What is needed of a client of node-redis, structurally. */
export interface NodeRedisClient {
  sendCommand(args: any[]): Promise<any>
  duplicate(options?: any): any
}

/** A client of ioredis 5 or of node-redis 5, connected. */
export type RedisClient = IoredisClient | NodeRedisClient

/** A connection in the one form that Laneway uses. */
export interface RedisConnection {
  call(...args: (string | number)[]): Promise<unknown>
}

export const isIoredis = (client: RedisClient): client is IoredisClient =>
  typeof (client as IoredisClient).call === 'function'

/** Whether a value is a client that {@link connectionOf} can take. */
export function isRedisClient(client: unknown): client is RedisClient {
  const { call, sendCommand, duplicate } = Object(client)
  return typeof duplicate === 'function' && (typeof call === 'function' || typeof sendCommand === 'function')
}

export function connectionOf(client: RedisClient): RedisConnection {
  return isIoredis(client)
    ? { call: (command, ...args) => client.call(String(command), ...args.map(String)) }
    : { call: (...args) => client.sendCommand(args.map(String)) }
}
