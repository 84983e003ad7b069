import { createHash } from 'node:crypto'
import type { RedisConnection } from './redis-client.js'

/** A script that Redis runs as one step. Redis keeps it by its digest. */
export class RedisScript {
  readonly #source: string
  readonly #digest: string

  constructor(source: string) {
    this.#source = source
    this.#digest = createHash('sha1').update(source).digest('hex')
  }

  async run(
    connection: RedisConnection,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await connection.call('EVALSHA', this.#digest, keys.length, ...keys, ...args)
    } catch (error) {
      if (!String((error as Error)?.message).startsWith('NOSCRIPT')) throw error
      return connection.call('EVAL', this.#source, keys.length, ...keys, ...args)
    }
  }
}
