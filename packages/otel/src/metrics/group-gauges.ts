import { channels, type GroupEvent } from '@laneway/core'
import type { BatchObservableResult, Meter } from '@opentelemetry/api'
import type { LaneLabels } from './lane-labels.js'

/**
 * Shows the consumers of logs that keep lanes apart, and how old what they know of their lanes is.
 *
 * @returns ends it
 */
export function observeGroups(meter: Meter, labels: LaneLabels): () => void {
  const consumers = meter.createObservableGauge('laneway.lane.consumers', {
    description: 'Consumers of this process that keep lanes apart, by group, lane and role',
    unit: '{consumer}',
  })
  const age = meter.createObservableGauge('laneway.ledger.age', {
    description: 'Age of what is known of the lanes of a group; messages with a lane wait while it is old',
    unit: 's',
  })
  // Names stay, with 0: the SDK repeats the last value of what is not observed any more.
  const counts = new Map<string, { group: string; lane: string; role: string; count: number }>()
  const ledgers = new Map<object, { event: GroupEvent; asOfMs: number }>()

  function onGroup(event: GroupEvent): void {
    if (event.consumers.length === 0) ledgers.delete(event.ledger)
    else ledgers.set(event.ledger, { event, asOfMs: performance.now() - event.ageMs })
  }

  function observe(result: BatchObservableResult): void {
    const ages = new Map<string, number>()
    for (const one of counts.values()) one.count = 0
    for (const { event, asOfMs } of ledgers.values()) {
      const { group } = event
      // Of two ledgers of a group the older: it is the one that makes messages wait.
      ages.set(group, Math.max(ages.get(group) ?? 0, performance.now() - asOfMs))
      for (const { lane: tag, role } of event.consumers) {
        labels.learn(tag)
        const lane = labels.ofTag(tag)
        const name = JSON.stringify([group, lane, role])
        const known = counts.get(name) ?? { group, lane, role, count: 0 }
        known.count++
        counts.set(name, known)
      }
    }
    for (const { count, ...attributes } of counts.values()) result.observe(consumers, count, attributes)
    for (const [group, ms] of ages) result.observe(age, ms / 1000, { group })
  }

  const observed = [consumers, age]
  channels.group.subscribe(onGroup)
  meter.addBatchObservableCallback(observe, observed)
  return () => {
    channels.group.unsubscribe(onGroup)
    meter.removeBatchObservableCallback(observe, observed)
  }
}
