// Redis streams as timelines and chaos drive them. Half of the members use ioredis, half node-redis.
import { createLaneStreamConsumer } from '@laneway/redis-streams'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { startRedis } from '../servers/redis/start.mjs'
import { staleDecision } from './stale-decision.mjs'

export const IN_FLIGHT = 10
/** It may stand in. */
export const IN_FLIGHT_OF_BASE = 2 * IN_FLIGHT
/** In milliseconds: within this after its start or return, base may still handle a lane's message. */
export const WINDOW_MS = 0
const GROUP = 'g'

export const start = () => startRedis({ durable: true })

const connect = ({ host, port }) => new Redis(port, host, { maxRetriesPerRequest: null }).on('error', () => {})

/** The producer, which knows nothing of Laneway. */
export async function openProducer(server, name) {
  const redis = connect(server)
  await redis.xgroup('CREATE', name, GROUP, '0', 'MKSTREAM')
  return {
    async send(list) {
      const batch = redis.multi()
      for (const { id, lane } of list) batch.xadd(name, '*', 'id', id, ...(lane === '' ? [] : ['x-mse-tag', lane]))
      await batch.exec()
    },
    async leftovers() {
      const left = []
      for (const group of await redis.xinfo('GROUPS', name)) {
        const is = Object.fromEntries(
          Array.from({ length: group.length / 2 }, (_, i) => [group[2 * i], group[2 * i + 1]]),
        )
        if (is.pending > 0) left.push(`${is.name} pending ${is.pending}`)
        if (is.lag > 0) left.push(`${is.name} lag ${is.lag}`)
      }
      return left
    },
    close: async () => redis.disconnect(),
  }
}

/** Fails in one way: `stale` decides by its first look for ever, `polled` by who lives now, without the ledger. */
function withFault(client, control) {
  if (control === undefined) return client
  let first
  const { call } = client
  client.call = async (...args) => {
    const reply = await call.apply(client, args)
    const isLook = args[0].startsWith('EVAL') && Array.isArray(reply) && /^\d+$/.test(reply[0])
    if (!isLook) return reply
    if (control === 'stale') {
      first ??= reply
      return ['9999999999999', ...first.slice(1)]
    }
    const lanes = []
    for (let i = 1; i < reply.length; i += 3) lanes.push(reply[i], reply[i + 2] === '+' ? '0:' : '', reply[i + 2])
    return ['9999999999999', ...lanes]
  }
  return client
}

/** A consumer in a process of its own. Resolves once it handles messages. */
export async function openMember({ server, name, lane, control, handle }) {
  const url = `redis://${server.host}:${server.port}`
  const isNodeRedis = control === undefined && process.pid % 2 === 0
  const client = isNodeRedis ? createClient({ url }).on('error', () => {}) : withFault(connect(server), control)
  if (isNodeRedis) await client.connect()
  const consumer = createLaneStreamConsumer({
    client,
    stream: name,
    group: GROUP,
    lanes: 'isolate',
    tag: lane,
    concurrency: IN_FLIGHT,
    claimIdleMs: 3000,
    onError: () => {},
    handler: handle,
  })
  await consumer.ready()
  return { close: () => consumer.close() }
}

export const idOf = ({ fields }) => fields.id
export const failsNow = () => false

export const runControl = (system, server, { name, control }) => staleDecision(system, server, { name, control })
