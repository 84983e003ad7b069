import {
  assignInTurn,
  assignLane,
  BASE_MARK,
  type GroupMember,
  LANE_ASSIGNER,
  type MemberRole,
} from '../isolation/member-data.js'
import { decodeMetadata, encodeAssignment, encodeMetadata } from './member-metadata.js'

interface Assigner {
  readonly name: string
  readonly version: number
  assign(group: { members: { memberId: string; memberMetadata: Buffer }[]; topics: string[] }): Promise<unknown>
  protocol(subscription: { topics: string[] }): { name: string; metadata: Buffer }
}

/** What kafkajs takes in `partitionAssigners`. */
export type PartitionAssigner = (given: {
  cluster: { findTopicPartitionMetadata(topic: string): { partitionId: number }[] }
}) => Assigner

/** For members of a lane's group. */
export function laneAssigner(role: MemberRole): PartitionAssigner {
  return ({ cluster }) => planned(LANE_ASSIGNER, 1, role, cluster, assignLane)
}

/** What kafkajs does by default, with the mark of base: members without Laneway understand it. */
export const markedRoundRobin: PartitionAssigner = ({ cluster }) =>
  planned('RoundRobinAssigner', 0, BASE_MARK, cluster, (members, topics, partitionsOf) =>
    assignInTurn(
      members,
      [...members].sort((a, b) => (a.id < b.id ? -1 : 1)),
      topics,
      partitionsOf,
    ),
  )

/** An assigner of the application, with the mark of base where it has no user data of its own. */
export function marked(create: PartitionAssigner): PartitionAssigner {
  return given => {
    const assigner = create(given)
    const { protocol, version } = assigner
    return Object.assign(Object.create(assigner), {
      protocol(subscription: { topics: string[] }) {
        const offered = protocol.call(assigner, subscription)
        const { topics, userData } = decodeMetadata(offered.metadata)
        if (userData.length > 0) return offered
        return { ...offered, metadata: encodeMetadata(version, topics, BASE_MARK) }
      },
    })
  }
}

function planned(
  name: string,
  version: number,
  userData: string,
  cluster: Parameters<PartitionAssigner>[0]['cluster'],
  plan: typeof assignLane,
): Assigner {
  return {
    name,
    version,
    async assign({ members, topics }) {
      const known = members.map(({ memberId, memberMetadata }): GroupMember => {
        const { topics, userData } = decodeMetadata(memberMetadata)
        return { id: memberId, topics, role: userData.toString() }
      })
      const assignments = plan(known, topics, topic =>
        cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId),
      )
      return [...assignments].map(([memberId, assigned]) => ({
        memberId,
        memberAssignment: encodeAssignment(assigned),
      }))
    },
    protocol: ({ topics }) => ({ name, metadata: encodeMetadata(version, topics, userData) }),
  }
}
