import type { LaneLedgerView } from '@laneway/messaging/internal'
import { type LogBroker, placeOf } from '../isolation/log-broker.js'

/** Fills in for partitions without a commit what the lane's announcement says, or the first offset that is still there. */
export function ledgerStarts(
  broker: LogBroker,
  view: LaneLedgerView,
  lane: string,
): (offsets: Map<string, bigint[]>) => Promise<void> {
  return async offsets => {
    const missing = [...offsets].filter(([, partitions]) => partitions.some(offset => offset < 0n))
    const bounds = await broker.bounds(missing.map(([topic]) => topic))
    for (const [topic, partitions] of missing) {
      partitions.forEach((offset, partition) => {
        const place = placeOf(topic, partition)
        const low = BigInt(bounds.get(place)?.low ?? 0)
        const start = BigInt(view.startOf(lane, place, Date.now()) ?? 0)
        if (offset < 0n) partitions[partition] = start > low ? start : low
      })
    }
  }
}
