import { BASE_TAG, type Lane } from '@laneway/core'
import { assertLane, POD_LABEL } from '@laneway/core/internal'

const CANARY = 'opensergo.io/canary'

/**
 * Metadata that says the lane of an instance in both forms that neighbours read: `alicloud.service.tag` (MSE) and
 * `opensergo.io/canary-<tag>` (OpenSergo, Higress, Alibaba's agents). Base is `opensergo.io/canary` with an empty value.
 *
 * @throws LanewayError `LANEWAY_INVALID_TAG`
 */
export function laneMetadata(lane: Lane | string | undefined): Record<string, string> {
  const tags =
    lane === undefined || lane === '' || lane === BASE_TAG
      ? []
      : (typeof lane === 'string' ? assertLane('registerInstance: lane', lane) : lane).tags
  const named = tags.filter(tag => tag !== BASE_TAG)
  const [first] = named
  if (first === undefined) return { [CANARY]: '' }
  const metadata: Record<string, string> = { [POD_LABEL]: first }
  for (const tag of named) metadata[`${CANARY}-${tag}`] = tag
  return metadata
}

/** Whether metadata that a user wrote says a lane already. */
export function mentionsLaneMetadata(metadata: Readonly<Record<string, string>>): boolean {
  return Object.keys(metadata).some(
    key => key === POD_LABEL || key === CANARY || key.startsWith(`${CANARY}-`) || key === '__micro.service.env__',
  )
}
