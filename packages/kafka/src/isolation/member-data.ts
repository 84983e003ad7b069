/** What a member of base's group says of itself, so that a lane knows that base keeps lanes apart. */
export const BASE_MARK = 'laneway/1'

/** What a member of a lane's group does there. */
export type MemberRole = 'lane' | 'stand-in'

/** The name of the assigner that all members of a lane's group offer. */
export const LANE_ASSIGNER = 'laneway'

export interface GroupMember {
  readonly id: string
  readonly topics: readonly string[]
  readonly role: string
}

/**
 * Gives every partition to lane members while there is one, else to stand-ins; a topic goes to those that subscribe to
 * it. So the group itself is the lease: a lane that starts, stops or crashes is a rebalance at committed offsets.
 *
 * @param partitionsOf - of a topic
 * @returns by member, then by topic
 */
export function assignLane(
  members: readonly GroupMember[],
  topics: readonly string[],
  partitionsOf: (topic: string) => readonly number[],
): Map<string, Map<string, number[]>> {
  const lane = members.filter(({ role }) => role === 'lane')
  const able = (lane.length > 0 ? lane : [...members]).sort((a, b) => (a.id < b.id ? -1 : 1))
  return assignInTurn(members, able, topics, partitionsOf)
}

/** Round robin, as the clients do it by default. */
export function assignInTurn(
  members: readonly GroupMember[],
  able: readonly GroupMember[],
  topics: readonly string[],
  partitionsOf: (topic: string) => readonly number[],
): Map<string, Map<string, number[]>> {
  const plan = new Map<string, Map<string, number[]>>(members.map(({ id }) => [id, new Map()]))
  let turn = 0
  for (const topic of topics) {
    const subscribed = able.filter(member => member.topics.includes(topic))
    if (subscribed.length === 0) continue
    for (const partition of partitionsOf(topic)) {
      const assigned = plan.get(subscribed[turn++ % subscribed.length]!.id)!
      const partitions = assigned.get(topic)
      if (partitions === undefined) assigned.set(topic, [partition])
      else partitions.push(partition)
    }
  }
  return plan
}
