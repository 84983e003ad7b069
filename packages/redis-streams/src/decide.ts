import { BASE_TAG, runInLane } from '@laneway/core'
import type { MessageOutcome } from '@laneway/messaging'
import type { MessageDecision } from '@laneway/messaging/internal'
import type { StreamSettings } from './lane-stream-options.js'
import type { RawEntry } from './stream/stream-entry.js'

/** Decides the lane of an entry, once. Afterwards each of its fields is a text, and none holds a lane that was refused. */
export function decide(entry: RawEntry, { lanes }: StreamSettings): MessageDecision {
  if (entry.decision !== undefined) return entry.decision
  const { fields } = entry
  entry.decision = lanes.incoming(fields, entry)
  if (entry.hasLists) for (const name in fields) if (Array.isArray(fields[name])) fields[name] = fields[name].at(-1)
  return entry.decision
}

/** The tags that a lane may own an entry by; `base` ends a list. */
export function tagsOf({ lane }: MessageDecision): readonly string[] {
  if (lane === undefined) return []
  const end = lane.tags.indexOf(BASE_TAG)
  return end === -1 ? lane.tags : lane.tags.slice(0, end)
}

/** Runs the handler in the lane of the entry. @throws what the handler throws */
export async function handleInLane(
  entry: RawEntry,
  settings: StreamSettings,
  outcome?: MessageOutcome,
): Promise<'done'> {
  const { lanes, handler } = settings
  const decision = decide(entry, settings)
  lanes.report(entry.stream, decision, outcome ?? lanes.outcomeOf(decision))
  const { stream, id, fields } = entry
  await runInLane(decision.lane, handler, { stream, id, fields })
  return 'done'
}

/** Leaves an entry to the other side. */
export function skip(entry: RawEntry, settings: StreamSettings): 'skipped' {
  settings.lanes.report(entry.stream, decide(entry, settings), 'skipped')
  return 'skipped'
}
