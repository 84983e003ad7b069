import { setImmediate as turn } from 'node:timers/promises'
import { channels, type GroupEvent } from '@laneway/core'
import { LEAD_MS, ledgerKey, ledgerValue } from '@laneway/messaging/internal'
import t from 'tap'
import { Gate } from '../src/isolation/gate.js'
import { divideConsumerOptions } from '../src/isolation/isolate-options.js'
import { LedgerReader } from '../src/isolation/ledger-reader.js'
import type { LedgerListener, LogBroker } from '../src/isolation/log-broker.js'
import { assignLane } from '../src/isolation/member-data.js'
import { StartOffsets } from '../src/isolation/start-offsets.js'
import { withGaps } from '../src/kafkajs/gap-batch.js'
import { decodeMetadata, encodeAssignment, encodeMetadata } from '../src/kafkajs/member-metadata.js'
import { resolveKafkaOptions } from '../src/lane-kafka-options.js'

/** A broker whose ledger the test writes; the real ones are in test/messages. */
function fakeBroker() {
  let listener: LedgerListener | undefined
  let end = 0n
  const broker = {
    low: '0',
    high: undefined as string | undefined,
    append(key: string, value: string | null, appendedMs: number) {
      listener?.record(end++, key, value, appendedMs)
    },
    reread(offset: bigint, key: string, value: string) {
      listener?.record(offset, key, value, 1)
    },
    asLogBroker: {
      createLedger: async () => {},
      readLedger: async (told: LedgerListener) => {
        listener = told
        return async () => {}
      },
      bounds: async () => new Map([['laneway.lanes/0', { low: broker.low, high: broker.high ?? `${end}` }]]),
      committed: async () => new Map([['orders/0', '5']]),
    } as unknown as LogBroker,
  }
  return broker
}
const start = ledgerValue({ start: { 'orders/0': '3', 'orders/1': '7' } })

t.test('partitions go to lane members while there is one, each topic to those that subscribe to it', async t => {
  const member = (id: string, role: string, topics = ['a', 'b']) => ({ id, role, topics })
  const planOf = (...members: ReturnType<typeof member>[]) =>
    Object.fromEntries(
      [...assignLane(members, ['a', 'b'], topic => (topic === 'a' ? [0, 1, 2] : [0]))].map(([id, topics]) => [
        id,
        Object.fromEntries(topics),
      ]),
    )
  t.strictSame(planOf(member('s2', 'stand-in'), member('s1', 'stand-in')), {
    s1: { a: [0, 2] },
    s2: { a: [1], b: [0] },
  })
  t.strictSame(planOf(member('s1', 'stand-in'), member('g1', 'lane'), member('s2', 'stand-in')), {
    s1: {},
    g1: { a: [0, 1, 2], b: [0] },
    s2: {},
  })
  t.strictSame(planOf(member('g1', 'lane', ['a']), member('g2', 'lane'), member('g3', 'lane', ['b'])), {
    g1: { a: [0, 2] },
    g2: { a: [1] },
    g3: { b: [0] },
  })
})

t.test("what members say of themselves has the form of Kafka's consumer protocol", async t => {
  const bytes = encodeMetadata(1, ['orders', 'ä'], 'lane')
  t.equal(bytes.toString('hex'), '00010000000200066f72646572730002c3a4000000046c616e65')
  t.strictSame(decodeMetadata(bytes), { topics: ['orders', 'ä'], userData: Buffer.from('lane') })
  t.equal(
    encodeAssignment(new Map([['a', [0, 2]]])).toString('hex'),
    '00000000000100016100000002000000000000000200000000',
  )
  for (const broken of [Buffer.alloc(0), Buffer.from('ffff', 'hex'), bytes.subarray(0, 9), Buffer.alloc(40, 0xff)]) {
    t.equal(decodeMetadata(broken).userData.length, 0, broken.toString('hex'))
  }
})

t.test('to resolve a message of a batch with gaps resolves what was left out behind it', async t => {
  const resolved: string[] = []
  const message = (offset: number) => ({ offset: `${offset}`, key: null, value: null, timestamp: '0' })
  const batch = { topic: 'x', partition: 0, messages: [3, 4, 6, 7, 9].map(message), lastOffset: () => '11' }
  const payload = { batch, resolveOffset: (offset: string) => resolved.push(offset), heartbeat: async () => {} }
  t.equal(withGaps(payload, batch.messages), payload, 'a batch without gaps is passed on as it is')
  const gaps = withGaps(payload, [batch.messages[1]!, batch.messages[3]!])
  t.strictSame(
    gaps.batch.messages.map(({ offset }) => offset),
    ['4', '7'],
  )
  t.equal(gaps.batch.lastOffset(), '11')
  for (const offset of ['4', '7', '2', '11', '20']) gaps.resolveOffset(offset)
  t.strictSame(resolved, ['6', '11', '3', '11', '20'])
})

t.test('a view is fresh once everything up to the end that was asked for has been read', async t => {
  const broker = fakeBroker()
  const warnings: string[] = []
  const reader = new LedgerReader(broker.asLogBroker, warning => warnings.push(warning))
  broker.high = '2'
  const opening = reader.open()
  await turn()
  broker.append(ledgerKey('orders', 'gray'), start, 1000)
  broker.append(ledgerKey('mail', 'blue'), start, 2000)
  await opening
  broker.high = undefined
  t.ok(reader.viewOf('orders').canDecide())
  t.equal(reader.viewOf('orders').openEntry('gray')?.fromMs, 1000 + LEAD_MS)
  t.equal(reader.viewOf('mail').openEntry('gray'), undefined)
  broker.append(ledgerKey('orders', 'blue'), start, 3000)
  t.equal(reader.viewOf('orders').entries().length, 2)
  // A reader that rejoins its group reads again from the start.
  broker.reread(0n, ledgerKey('orders', 'red'), start)
  t.equal(reader.viewOf('orders').entries().length, 2)
  t.equal(reader.viewOf('later').entries().length, 0)
  await reader.close()
  t.strictSame(warnings, [])
})

t.test('a reader that has ended by itself is opened again', async t => {
  const broker = fakeBroker()
  const reader = new LedgerReader(broker.asLogBroker, () => {}, 50)
  await reader.open()
  let closed = 0
  const { readLedger } = broker.asLogBroker
  const opened = new Promise<void>(resolve => {
    broker.asLogBroker.readLedger = async listener => {
      await readLedger(listener)
      broker.append(ledgerKey('orders', 'gray'), start, 1000)
      resolve()
      return async () => {
        closed++
      }
    }
  })
  // The log has a record that the first reader never brings.
  broker.high = '1'
  const keepsAlive = setInterval(() => {}, 1000)
  await opened
  clearInterval(keepsAlive)
  t.ok(reader.viewOf('orders').openEntry('gray'))
  await reader.close()
  t.equal(closed, 1)
})

t.test('a reader that has ended is opened again, also when the broker says late how long the log is', async () => {
  const broker = fakeBroker()
  const reader = new LedgerReader(broker.asLogBroker, () => {}, 50)
  await reader.open()
  const { bounds, readLedger } = broker.asLogBroker
  const opened = new Promise<void>(resolve => {
    broker.asLogBroker.readLedger = async listener => {
      const end = await readLedger(listener)
      broker.append(ledgerKey('orders', 'gray'), start, 1000)
      resolve()
      return end
    }
  })
  broker.high = '1'
  broker.asLogBroker.bounds = async topics => {
    await new Promise(resolve => setTimeout(resolve, 100))
    return bounds(topics)
  }
  const keepsAlive = setInterval(() => {}, 1000)
  await opened
  clearInterval(keepsAlive)
  t.ok(reader.viewOf('orders').openEntry('gray'))
  await reader.close()
})

t.test(
  'a broker that is away keeps its reader, and a reader that cannot be opened keeps nobody from closing',
  async t => {
    const broker = fakeBroker()
    const reader = new LedgerReader(broker.asLogBroker, () => {}, 50)
    await reader.open()
    const { bounds } = broker.asLogBroker
    let asked = 0
    let opened = 0
    let returned = () => {}
    const opens = new Promise<void>(resolve => {
      broker.asLogBroker.readLedger = async () => {
        opened++
        resolve()
        await new Promise<void>(resolve => {
          returned = resolve
        })
        return async () => {
          opened--
        }
      }
    })
    const isAway = new Promise<void>(resolve => {
      broker.asLogBroker.bounds = async () => {
        // Longer than a reader may stall.
        await new Promise(resolve => setTimeout(resolve, 100))
        if (++asked === 2) resolve()
        throw new Error('no broker')
      }
    })
    const keepsAlive = setInterval(() => {}, 1000)
    await isAway
    t.equal(opened, 0)
    broker.asLogBroker.bounds = bounds
    broker.high = '1'
    await opens
    clearInterval(keepsAlive)
    await reader.close()
    t.equal(opened, 1)
    returned()
    await turn()
    t.equal(opened, 0, 'what was opened too late is closed')
  },
)

t.test('a ledger that cannot be made: the error has the commands', async t => {
  const broker = fakeBroker()
  broker.asLogBroker.createLedger = async () => {
    throw new Error('Topic authorization failed')
  }
  const error = await new LedgerReader(broker.asLogBroker, () => {}).open().catch(error => error)
  t.equal(error.code, 'LANEWAY_LEDGER')
  for (const part of [
    'Topic authorization failed',
    'kafka-topics.sh --bootstrap-server BROKER --create --topic laneway.lanes --partitions 1 --config cleanup.policy=compact --config message.timestamp.type=LogAppendTime',
    'kafka-acls.sh',
  ]) {
    t.match(error.message, part)
  }
})

t.test(
  'the gate: untagged messages never wait, tagged ones until the view is fresh; a closed gate gives none away',
  async t => {
    const broker = fakeBroker()
    const reader = new LedgerReader(broker.asLogBroker, () => {})
    await reader.open()
    const view = reader.viewOf('orders')
    broker.append(ledgerKey('orders', 'gray'), start, 1000)
    const settings = resolveKafkaOptions({ tag: 'base' })
    let roles: string[] = []
    const onGroup = ({ consumers }: GroupEvent) => {
      roles = consumers.map(({ lane, role }) => `${lane} ${role}`)
    }
    channels.group.subscribe(onGroup)
    t.teardown(() => channels.group.unsubscribe(onGroup))
    const [base, lane] = [new Gate(settings, view, undefined, 'base'), new Gate(settings, view, 'gray', 'own')]
    t.strictSame(roles, ['base base', 'gray lane'])
    const tagged = (tag?: string) => ({ headers: tag === undefined ? {} : { 'x-mse-tag': tag } })
    const both = (tag: string | undefined, at: number) =>
      [base, lane].map(gate => gate.decide(tagged(tag), 'orders', at).owner).join()
    t.equal(both(undefined, 9000), 'own,skip')
    t.equal(both('gray', 6999), 'own,skip', 'before the lane begins')
    t.equal(both('gray', 7000), 'skip,own')
    t.equal(both('blue,gray', 7000), 'skip,own')
    t.equal(both('base,gray', 7000), 'own,skip')
    t.equal(both('-', 7000), 'own,skip', 'no lane at all')
    view.canDecide = () => false
    t.equal(both('gray', 7000), 'wait,wait')
    t.equal(both(undefined, 7000), 'own,skip')
    let beats = 0
    const settling = lane.settle(tagged('gray'), 'orders', 7000, async () => {
      beats++
    })
    lane.close()
    await t.rejects(settling, /consumer stops/)
    t.equal(beats, 0)
    t.strictSame(roles, ['base base'])
    await reader.close()
  },
)

t.test('a member of a lane begins at its commit, else where the announcement says', async t => {
  const broker = fakeBroker()
  const reader = new LedgerReader(broker.asLogBroker, () => {})
  await reader.open()
  broker.append(ledgerKey('orders', 'gray'), start, Date.now())
  const starts = new StartOffsets(broker.asLogBroker, reader.viewOf('orders'), 'gray', 'orders_gray')
  t.notOk(starts.hasPassed('orders', 0))
  t.equal(await starts.before('orders', 0, '0'), undefined, 'committed')
  t.ok(starts.hasPassed('orders', 0))
  t.equal(await starts.before('orders', 1, '6'), '7')
  starts.assigned()
  t.equal(await starts.before('orders', 1, '7'), undefined)
  t.equal(await starts.before('orders', 2, '0'), undefined, 'a partition that is newer than the announcement')
  starts.assigned()
  t.notOk(starts.hasPassed('orders', 1))
  starts.sought('orders', 1)
  t.ok(starts.hasPassed('orders', 1))
  await reader.close()
})

t.test('options of a consumer are divided, and wrong ones are refused', async t => {
  const { wanted, rest } = divideConsumerOptions('consumer', { groupId: 'x', lanes: 'isolate', assumeBase: true })
  t.strictSame(rest, { groupId: 'x' })
  t.equal(wanted.laneGroup('x', 'gray'), 'x_gray')
  t.match(wanted, {
    lanes: 'isolate',
    assumeBase: true,
    whenLaneMissing: 'base',
    standInAfterMs: 0,
    endAfterMs: 86_400_000,
  })
  for (const wrong of [{ lanes: 'both' }, { whenLaneMissing: 'wait' }, { standInAfterMs: -1 }, { endAfterMs: 1 }]) {
    t.throws(() => divideConsumerOptions('consumer', wrong), { code: 'LANEWAY_INVALID_OPTION' }, JSON.stringify(wrong))
  }
})
