import { channels, type EventChannel } from '@laneway/core'
import type { Meter } from '@opentelemetry/api'
import { servedBy } from '../spans/lane-hooks.js'
import type { LaneLabels } from './lane-labels.js'

/**
 * Counts the events of Laneway.
 *
 * @returns ends it
 */
export function countEvents(meter: Meter, labels: LaneLabels): () => void {
  const counter = (name: string, description: string, unit = '{request}') =>
    meter.createCounter(name, { description, unit })
  const decisions = counter('laneway.decisions', 'Picks, by service, lane, who served and how it ended', '{decision}')
  const ingress = counter('laneway.ingress', 'Requests received, by lane and where it came from')
  const blocked = counter('laneway.egress.blocked', 'Requests whose tag was kept from a host out of scope')
  const invalid = counter('laneway.tags.invalid', 'Values that are no lane, received or set by hand', '{tag}')
  const contradicted = counter('laneway.tags.contradicted', 'Requests whose carriers name different lanes')
  const stripped = counter('laneway.tags.stripped', 'Tags removed because their sender is not believed', '{tag}')
  const escapes = counter('laneway.escapes', 'Untagged requests received by an instance of a lane')
  const messages = counter('laneway.messages', 'Messages received, by system, lane and outcome', '{message}')

  const ends = [
    listen(channels.decision, decision => {
      const { service, lane, served, outcome } = decision
      // A tag that served is one that the registry lists.
      if (served !== undefined) labels.learn(served)
      const who = served === undefined ? servedBy(decision) : labels.ofTag(served)
      decisions.add(1, { service, lane: labels.of(lane), served: who, outcome })
    }),
    listen(channels.ingress, event => {
      ingress.add(1, { lane: labels.of(event.lane), source: event.source ?? 'none' })
      if (event.problem !== undefined) invalid.add(1)
      if (event.stripped) stripped.add(1)
      if (event.contradicted) contradicted.add(1)
      if (event.escaped) escapes.add(1)
    }),
    listen(channels.egress, ({ action }) => {
      if (action === 'blocked') blocked.add(1)
      else if (action === 'invalid') invalid.add(1)
    }),
    listen(channels.message, ({ system, lane, outcome, problem, stripped: removed, escaped }) => {
      // Without the queue: brokers name those of replies, one for each consumer.
      messages.add(1, { system, lane: labels.of(lane), outcome })
      if (problem !== undefined) invalid.add(1)
      if (removed) stripped.add(1)
      if (escaped) escapes.add(1)
    }),
    listen(channels.source, () => labels.changed()),
  ]
  return () => {
    for (const end of ends) end()
  }
}

function listen<E>(channel: EventChannel<E>, listener: (event: E) => void): () => void {
  channel.subscribe(listener)
  return () => channel.unsubscribe(listener)
}
