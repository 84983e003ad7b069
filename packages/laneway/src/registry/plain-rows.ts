import { type LaneRow, laneRows, type ServiceView } from '@laneway/discovery/internal'
import { plain } from '../terminal/table.js'

/** The rows of a view for a terminal. */
export function plainRows(views: Iterable<ServiceView>, now: number): LaneRow[] {
  return laneRows(views, now).map(row => ({
    ...row,
    service: plain(row.service),
    lane: plain(row.lane),
    versions: row.versions.map(plain),
  }))
}
