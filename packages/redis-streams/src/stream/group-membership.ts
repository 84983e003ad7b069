import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'
import { type RedisConnection, RedisScript } from '@laneway/messaging/internal'

/** The consumer that owns what was handed back, until a member claims it. */
export const NOBODY = 'laneway'
const ACK_ATTEMPTS = 12

/** KEYS: stream. ARGV: group, consumer, ids. Renews those that are still the consumer's, returns the others. */
const RENEW = new RedisScript(`local gone = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID')
  else
    gone[#gone + 1] = id
  end
end
return gone`)

/** KEYS: stream. ARGV: group, consumer, idle time, ids. Lets others claim those that are still the consumer's. */
const HAND_BACK = new RedisScript(`for i = 4, #ARGV do
  local id = ARGV[i]
  if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], '${NOBODY}', 0, id, 'IDLE', ARGV[3], 'JUSTID')
  end
end
return 0`)

/** KEYS: stream. ARGV: group, consumer, idle time. Hands everything back, and removes the consumer. */
const LEAVE = new RedisScript(`local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000, ARGV[2])
for _, one in ipairs(pending) do
  redis.call('XCLAIM', KEYS[1], ARGV[1], '${NOBODY}', 0, one[1], 'IDLE', ARGV[3], 'JUSTID')
end
if #pending < 1000 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return 0`)

interface MembershipOptions {
  readonly stream: string
  readonly group: string
  readonly consumer: string
  readonly claimIdleMs: number
  readonly connection: RedisConnection
  readonly failed: (error: Error) => void
}

/** The entries that a member of a group has taken and not acknowledged. */
export class GroupMembership {
  readonly #options: MembershipOptions
  readonly #held = new Set<string>()
  /** Acknowledged here, not yet on its way to Redis. */
  #batch: { readonly ids: string[]; readonly sent: Promise<void> } | undefined
  #sending: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** When Redis was last asked whether the entries are ours, by `performance.now()`. */
  #confirmedAt = Number.NEGATIVE_INFINITY
  #renewing: Promise<void> | undefined
  #left = false

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** @param sentAt - when Redis was asked for them, by `performance.now()` */
  hold(ids: readonly string[], sentAt: number): void {
    if (ids.length === 0) return
    for (const id of ids) this.#held.add(id)
    this.#confirmedAt = sentAt
    this.#timer ??= setInterval(
      () => void this.#renew().catch(this.#options.failed),
      this.#options.claimIdleMs / 3,
    ).unref()
  }

  holds(id: string): boolean {
    return this.#held.has(id)
  }

  /** As {@link holds}, certain also after this process has been frozen. */
  stillHolds(id: string): boolean | Promise<boolean> {
    if (performance.now() - this.#confirmedAt <= this.#options.claimIdleMs / 2) return this.#held.has(id)
    return this.#renew().then(() => this.#held.has(id))
  }

  /** Leaves an entry pending. */
  drop(id: string): void {
    this.#held.delete(id)
  }

  /** Resolves once Redis knows, or could not be told for long. Those of one moment are sent together. */
  acknowledge(id: string): Promise<void> {
    this.#batch ??= this.#nextBatch()
    this.#batch.ids.push(id)
    return this.#batch.sent
  }

  async handBack(ids: readonly string[]): Promise<void> {
    const { stream, group, consumer, claimIdleMs, connection, failed } = this.#options
    for (const id of ids) this.#held.delete(id)
    if (ids.length === 0) return
    await HAND_BACK.run(connection, [stream], [group, consumer, claimIdleMs, ...ids]).catch(failed)
  }

  /** Ends the membership: others claim at once what is still pending. */
  async leave(): Promise<void> {
    const { stream, group, consumer, claimIdleMs, connection, failed } = this.#options
    this.#left = true
    clearInterval(this.#timer)
    await this.#sending
    await LEAVE.run(connection, [stream], [group, consumer, claimIdleMs]).catch(error => {
      if (!String(error?.message).startsWith('NOGROUP')) failed(error)
    })
  }

  /** Collects what is acknowledged while the batch before it is on its way. */
  #nextBatch() {
    const ids: string[] = []
    const sent = this.#sending.then(() => {
      this.#batch = undefined
      return this.#send(ids)
    })
    this.#sending = sent
    return { ids, sent }
  }

  /** An entry whose handler is done is acknowledged even when Redis is away for a while: else it would be handled again. */
  async #send(ids: readonly string[]): Promise<void> {
    const { stream, group, connection, failed } = this.#options
    for (let failures = 0; ; ) {
      try {
        await connection.call('XACK', stream, group, ...ids)
        break
      } catch (error) {
        if (failures === 0) failed(error as Error)
        if (++failures >= (this.#left ? 2 : ACK_ATTEMPTS)) break
        await sleep(backoffMs(failures, 50, 2000))
      }
    }
    for (const id of ids) this.#held.delete(id)
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renewOnce(): Promise<void> {
    const { stream, group, consumer, connection } = this.#options
    const ids = [...this.#held]
    const sentAt = performance.now()
    if (ids.length > 0) {
      const gone = (await RENEW.run(connection, [stream], [group, consumer, ...ids])) as unknown[]
      for (const id of gone) this.#held.delete(String(id))
    }
    this.#confirmedAt = sentAt
  }
}
