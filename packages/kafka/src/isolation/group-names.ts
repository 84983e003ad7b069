import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import type { LaneConsumerSettings } from './isolate-options.js'

/** The names of the groups of a consumer. */
export interface GroupNames {
  readonly group: string
  /** @throws LanewayError `LANEWAY_INVALID_OPTION` when the option does not name one */
  laneGroup(lane: string): string
}

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function groupNames(where: string, groupId: unknown, { laneGroup }: LaneConsumerSettings): GroupNames {
  if (typeof groupId !== 'string' || groupId === '') {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${where}: lanes is 'isolate', which needs a groupId, received ${describe(groupId)}`,
    )
  }
  return {
    group: groupId,
    laneGroup(lane) {
      const name: unknown = laneGroup(groupId, lane)
      if (typeof name === 'string' && name !== '' && name !== groupId) return name
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        `${where}: laneGroup gives the lane a group of its own, received ${describe(name)} for lane ${lane} of "${groupId}"`,
      )
    },
  }
}
