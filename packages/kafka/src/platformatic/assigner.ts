import { assignLane, BASE_MARK, type GroupMember, LANE_ASSIGNER, type MemberRole } from '../isolation/member-data.js'

interface Subscribed {
  readonly topics?: readonly string[]
  readonly metadata?: unknown
}

type Assigner = (
  current: string,
  members: ReadonlyMap<string, Subscribed>,
  topics: ReadonlySet<string>,
  metadata: { readonly topics: ReadonlyMap<string, { readonly partitionsCount: number }> },
) => unknown[]

/** Options of a consumer that is a member of a lane's group, whose members assign partitions whatever base's group does. */
export function inLaneGroup(role: MemberRole): {
  groupProtocol: 'classic'
  protocols: object[]
  partitionAssigner: Assigner
} {
  const protocols = [{ name: LANE_ASSIGNER, version: 1, metadata: role }]
  return { groupProtocol: 'classic', protocols, partitionAssigner }
}

/** Options of a consumer of base: its protocols, with the mark where they have no data of their own. */
export function inBaseGroup(
  protocols: readonly { readonly metadata?: unknown }[] = [{ name: 'roundrobin', version: 1 } as object],
): { protocols: object[] } {
  return { protocols: protocols.map(protocol => ({ ...protocol, metadata: protocol.metadata ?? BASE_MARK })) }
}

const partitionAssigner: Assigner = (_current, members, topics, metadata) => {
  const known = [...members].map(
    ([id, { topics: subscribed = [...topics], metadata }]): GroupMember => ({
      id,
      topics: subscribed,
      role: String(metadata ?? ''),
    }),
  )
  const plan = assignLane(known, [...topics], topic =>
    Array.from({ length: metadata.topics.get(topic)?.partitionsCount ?? 0 }, (_, index) => index),
  )
  return [...plan].map(([memberId, assigned]) => ({
    memberId,
    assignments: new Map([...assigned].map(([topic, partitions]) => [topic, { topic, partitions }])),
  }))
}
