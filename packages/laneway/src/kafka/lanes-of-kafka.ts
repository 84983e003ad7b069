import {
  type KafkaAdmin,
  type KafkaClient,
  type LaneGroups,
  LEDGER_TOPIC,
  type Ledger,
  laneGroups,
  openKafka,
  readLedger,
} from '@laneway/console/internal'
import { isTag } from '@laneway/core'
import { END_LEAD_MS, ledgerKey, ledgerValue } from '@laneway/messaging/internal'
import { createPaint } from '../terminal/paint.js'
import { ageText, plain, tableOf } from '../terminal/table.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'

export interface KafkaLanesOptions {
  readonly kafka: string
  readonly group?: string
  readonly json?: boolean
}

/**
 * Prints the lanes of consumer groups of Kafka, or ends one.
 *
 * @param words - none, or `end`, the group and the lane
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export async function lanesOfKafka(
  words: readonly string[],
  options: KafkaLanesOptions,
  world: CommandWorld,
): Promise<number> {
  const [what, group, lane] = words
  const ends = words.length === 3 && what === 'end' && isTag(lane)
  if (words.length > 0 && !ends) {
    world.writeError('with --kafka there are: laneway lanes, laneway lanes end <group> <lane>\n')
    return EXIT.usage
  }
  const { client, kafkajs } = await openKafka(options.kafka, world.folder)
  const admin = client.admin()
  try {
    await admin.connect()
    const ledger = await readLedger(client, admin)
    if (ledger === undefined) {
      world.writeError(`there is no topic ${LEDGER_TOPIC}: no consumer keeps lanes apart here\n`)
      return ends ? EXIT.wrong : EXIT.ok
    }
    if (ends) return await end(client, ledger, group!, lane!, world)
    return print(ledger, await laneGroups(ledger, admin, kafkajs, options.group), options, world)
  } catch (error) {
    world.writeError(`kafka ${options.kafka} cannot be asked: ${(error as Error).message}\n`)
    return EXIT.unreachable
  } finally {
    await close(admin)
  }
}

async function end(
  client: KafkaClient,
  { views }: Ledger,
  group: string,
  lane: string,
  { write, writeError }: CommandWorld,
): Promise<number> {
  const view = views.get(group)
  if (view?.openEntry(lane) === undefined) {
    writeError(`lane ${lane} of group ${group} is not open: nothing to end\n`)
    return EXIT.wrong
  }
  // A key that is written twice would move when the log is compacted.
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    const messages = [
      { key: ledgerKey(group, lane), value: ledgerValue({ end: true }) },
      ...view.removableKeys(Date.now()).map(key => ({ key, value: null })),
    ]
    await producer.send({ topic: LEDGER_TOPIC, acks: -1, messages })
  } finally {
    await producer.disconnect()
  }
  write(
    `lane ${lane} of group ${group} ends in ${END_LEAD_MS / 1000} s: base handles messages with later timestamps. ` +
      `Earlier ones stay with ${view.laneGroupOf(lane)}, until they are read.\n`,
  )
  return EXIT.ok
}

function print(ledger: Ledger, groups: LaneGroups, { json }: KafkaLanesOptions, world: CommandWorld): number {
  const now = Date.now()
  const { records, lastMs } = ledger
  const conflicts = [...ledger.conflicts, ...groups.conflicts]
  const ageMs = lastMs === undefined ? undefined : Math.max(0, now - lastMs)
  if (json) {
    world.write(
      `${JSON.stringify({ lanes: groups.rows, ledger: { topic: LEDGER_TOPIC, records, ageMs }, conflicts })}\n`,
    )
    return conflicts.length > 0 ? EXIT.wrong : EXIT.ok
  }
  const paint = createPaint(world)
  const head = ['GROUP', 'LANE', 'CONSUMERS', 'STAND-INS', 'LAG', 'STATE'].map(name => paint('dim', name))
  const body = groups.rows.map(({ group, lane, consumers, standIns, lag, state, sinceMs }) => [
    lane === 'base' ? paint('bold', plain(group)) : '',
    lane === 'base' ? lane : paint('cyan', lane),
    consumers === undefined ? '-' : String(consumers),
    lane === 'base' ? '-' : String(standIns),
    lag === undefined ? '-' : String(lag),
    state === undefined ? '-' : `${state} ${timeText(sinceMs!, now)}`,
  ])
  world.write(groups.rows.length === 0 ? 'no lanes\n' : tableOf([head, ...body]))
  world.write(`\nledger ${LEDGER_TOPIC}: ${records} records, the last ${ageText(ageMs)} ago\n`)
  for (const conflict of conflicts) world.write(`${paint('red', 'conflict')}  ${plain(conflict)}\n`)
  return conflicts.length > 0 ? EXIT.wrong : EXIT.ok
}

function timeText(atMs: number, nowMs: number): string {
  return atMs > nowMs ? `in ${ageText(atMs - nowMs)}` : `since ${ageText(nowMs - atMs)}`
}

/** What was to be said has been said. */
async function close(admin: KafkaAdmin): Promise<void> {
  await admin.disconnect().catch(() => {})
}
