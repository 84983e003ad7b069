import type { LaneLedgerView, LedgerEntry } from '@laneway/messaging/internal'
import type { KafkaAdmin, Kafkajs } from './client.js'
import type { Ledger } from './read-ledger.js'

/** One side of a consumer group: base, or a lane. */
export interface LaneOfGroup {
  /** The group of base. */
  readonly group: string
  /** The group that reads this side. */
  readonly readers: string
  /** `base` or the tag. */
  readonly lane: string
  /** Members that handle the messages of this side; `undefined` in a group of KIP-848, whose members kafkajs does not see. */
  readonly consumers: number | undefined
  /** Members of base in the group of a lane. */
  readonly standIns: number
  /** Messages that the side has not read, its own and others; `undefined` where it has read none. */
  readonly lag: number | undefined
  readonly state: 'open' | 'begins' | 'ends' | 'ended' | undefined
  /** The beginning, or the end where there is one, in milliseconds since the epoch. */
  readonly sinceMs: number | undefined
}

export interface LaneGroups {
  readonly rows: readonly LaneOfGroup[]
  readonly conflicts: readonly string[]
}

/** What a member of base's group says that keeps lanes apart. */
const BASE_MARK = 'laneway/1'

interface Members {
  readonly roles: readonly string[]
  /** The group rebalances, so that the broker does not say what its members are. */
  readonly settled: boolean
  /** The group is of KIP-848. */
  readonly hidden: boolean
}

/** Looks at the groups that the ledger knows. @param only - this one */
export async function laneGroups(
  { views }: Ledger,
  admin: KafkaAdmin,
  kafkajs: Kafkajs,
  only?: string,
): Promise<LaneGroups> {
  const rows: LaneOfGroup[] = []
  const conflicts: string[] = []
  for (const [group, view] of views) {
    if (only !== undefined && only !== group) continue
    const lanes = [...view.intervals()].filter(([, intervals]) => intervals.length > 0).map(([lane]) => lane)
    const members = await membersOf(admin, kafkajs, [group, ...lanes.map(lane => view.laneGroupOf(lane))])
    const base = members.get(group)!
    rows.push({
      group,
      readers: group,
      lane: 'base',
      consumers: base.hidden ? undefined : base.roles.length,
      standIns: 0,
      lag: await lagOf(admin, group),
      state: undefined,
      sinceMs: undefined,
    })
    const unmarked = base.roles.filter(role => role !== BASE_MARK).length
    const isOpen = lanes.some(lane => view.openEntry(lane) !== undefined)
    if (unmarked > 0 && base.settled && isOpen) {
      conflicts.push(
        `${unmarked} of ${base.roles.length} members of group ${group} do not keep lanes apart, and handle messages of lanes ` +
          `as well: give them lanes: 'isolate'`,
      )
    }
    for (const lane of lanes) {
      const { row, problem } = await laneOf(admin, view, lane, members.get(view.laneGroupOf(lane))!)
      rows.push(row)
      if (problem !== undefined) conflicts.push(problem)
    }
  }
  return { rows, conflicts }
}

async function laneOf(
  admin: KafkaAdmin,
  view: LaneLedgerView,
  lane: string,
  { roles, settled }: Members,
): Promise<{ readonly row: LaneOfGroup; readonly problem: string | undefined }> {
  const { group } = view
  const laneGroup = view.laneGroupOf(lane)
  const last = view.openEntry(lane) ?? view.entries().findLast(entry => entry.lane === lane)!
  const consumers = roles.filter(role => role === 'lane').length
  const standIns = roles.filter(role => role === 'stand-in').length
  const lag = await lagOf(admin, laneGroup)
  const state = stateOf(last, Date.now())
  const row = { group, readers: laneGroup, lane, consumers, standIns, lag, state, sinceMs: last.untilMs ?? last.fromMs }
  let problem: string | undefined
  if (settled && roles.length > consumers + standIns)
    problem = `${roles.length - consumers - standIns} members of group ${laneGroup} are not of Laneway: a lane's group has no others`
  else if (settled && roles.length === 0 && state !== 'ended')
    problem = `nobody reads group ${laneGroup}, so messages of lane ${lane} wait: start the lane or base, or end the lane`
  return { row, problem }
}

function stateOf({ fromMs, untilMs }: LedgerEntry, nowMs: number): LaneOfGroup['state'] {
  if (untilMs !== undefined) return nowMs < untilMs ? 'ends' : 'ended'
  return nowMs < fromMs ? 'begins' : 'open'
}

async function membersOf(admin: KafkaAdmin, kafkajs: Kafkajs, names: readonly string[]): Promise<Map<string, Members>> {
  const roleOf = (bytes: Buffer): string => {
    try {
      return kafkajs.AssignerProtocol.MemberMetadata.decode(bytes)?.userData.toString() ?? ''
    } catch {
      // Another client has written it.
      return ''
    }
  }
  const { groups } = await admin.describeGroups(names)
  // The broker lists a group of KIP-848, and describes it to kafkajs as if it were not there.
  const listed = groups.some(isDead) ? (await admin.listGroups()).groups.map(({ groupId }) => groupId) : []
  return new Map(
    groups.map(group => [
      group.groupId,
      {
        roles: group.members.map(({ memberMetadata }) => roleOf(memberMetadata)),
        settled: ['Stable', 'Empty', 'Dead'].includes(group.state),
        hidden: isDead(group) && listed.includes(group.groupId),
      },
    ]),
  )
}

const isDead = ({ state }: { readonly state: string }): boolean => state === 'Dead'

async function lagOf(admin: KafkaAdmin, groupId: string): Promise<number | undefined> {
  let lag: number | undefined
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId })) {
    const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]))
    for (const { partition, offset } of partitions) {
      if (Number(offset) < 0) continue
      lag = (lag ?? 0) + Math.max(0, Number(ends.get(partition) ?? offset) - Number(offset))
    }
  }
  return lag
}
