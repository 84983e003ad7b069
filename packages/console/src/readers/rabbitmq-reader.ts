import { type OptionTable, readOptions } from '@laneway/core/internal'
import type { Queue } from '../wire.js'
import { byGroup } from './by-group.js'
import type { MessageReader } from './reader.js'

/** Options of {@link rabbitmqReader}. */
export interface RabbitmqReaderOptions {
  /** URL of the management API with user and password: `http://guest:guest@127.0.0.1:15672`. */
  url: string
}

const OPTIONS = {
  url: (value, place) => {
    if (typeof value !== 'string' || !/^https?:/.test(value) || !URL.canParse(value)) {
      throw place.unexpected('an http(s) URL', typeof value === 'string' ? value.replace(/^.*@/, '***@') : value)
    }
    return value
  },
} satisfies OptionTable<RabbitmqReaderOptions>

const TIMEOUT_MS = 5000
/** Says that a consumer of the lane lives; holds no messages. */
const BEACON = '.live'

/**
 * Reads the queues of RabbitMQ from its management API. A queue of a lane has the name that `@laneway/amqp` gives it:
 * `orders_gray` beside `orders`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function rabbitmqReader(options: RabbitmqReaderOptions): MessageReader {
  const url = new URL(readOptions('rabbitmqReader', options, OPTIONS).url)
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const headers = { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  const { host } = url
  url.username = ''
  url.password = ''
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/queues`
  url.search = '?columns=name,messages,consumers'
  return {
    name: `RabbitMQ ${host}`,
    async read() {
      const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
      if (!response.ok) throw new Error(`the management API of RabbitMQ says HTTP ${response.status}`)
      return { queues: queuesOf((await response.json()) as Listed[]) }
    },
  }
}

interface Listed {
  readonly name: string
  readonly messages?: number
  readonly consumers?: number
}

function queuesOf(listed: readonly Listed[]): Queue[] {
  // Queues that the broker names are for replies, one for each caller.
  const all = new Map(listed.filter(({ name }) => !name.startsWith('amq.')).map(one => [one.name, one]))
  const queues: Queue[] = []
  for (const { name, messages = 0, consumers = 0 } of all.values()) {
    if (name.endsWith(BEACON) && all.has(name.slice(0, -BEACON.length))) continue
    const [, group = name, tag] = /^(.+)_([A-Za-z\d][A-Za-z\d._-]*)$/.exec(name) ?? []
    const isLane = tag !== undefined && all.has(group)
    const lane = isLane ? tag : 'base'
    const owner = consumers > 0 ? lane : isLane ? 'base, while the lane has no consumer' : 'nobody'
    queues.push({ system: 'amqp', name, group: isLane ? group : name, lane, owner, consumers, lag: messages })
  }
  return queues.sort(byGroup)
}
