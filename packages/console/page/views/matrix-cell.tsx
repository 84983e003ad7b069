import type { Cell, Row } from '../../src/wire.js'
import { agoText, countText, numberText, plain } from '../parts/text.js'
import { slotOf } from '../state/lane-style.js'

/** The head of a row. */
export function ServiceName({ row }: { row: Row }) {
  const { service, state, error, changedAt, nearMisses } = row
  const words = state === 'ok' ? `changed ${agoText(changedAt)}` : state
  return (
    <th scope="row" class="name">
      <span class="service" title={plain(service)}>
        {plain(service)}
      </span>
      <span class={`note ${state === 'ok' ? '' : 'warn'}`} title={error === undefined ? undefined : plain(error)}>
        {nearMisses > 0 ? <span class="warn">{countText(nearMisses, 'misspelt key')}</span> : words}
      </span>
    </th>
  )
}

interface CellButtonProps {
  readonly row: Row
  readonly lane: string
  /** Nobody serves a lane that the service does not have. */
  readonly gapsFail: boolean
  readonly isActive: boolean
  readonly onOpen: () => void
}

/** One lane of one service; opens the service. */
export function CellButton({ row, lane, gapsFail, isActive, onOpen }: CellButtonProps) {
  const cell = row.cells[lane]
  const base = row.cells['base']
  const { kind, count, note } = textOf(cell, base, lane, gapsFail)
  return (
    <button
      type="button"
      class={`cell ${kind} l${slotOf(lane)}`}
      tabIndex={isActive ? 0 : -1}
      onClick={onOpen}
      aria-label={`${plain(row.service)}, ${plain(lane)}: ${count} ${note}`}
    >
      <span class="count num">{count}</span> {kind !== 'gap' && <span class="note num">{note}</span>}
    </button>
  )
}

/** What a cell says: who serves the lane here. */
function textOf(
  cell: Cell | undefined,
  base: Cell | undefined,
  lane: string,
  gapsFail: boolean,
): { kind: string; count: string; note: string } {
  const fallback = base !== undefined && base.healthy > 0 ? 'falls back to base' : 'no base to fall back to'
  const kind = base !== undefined && base.healthy > 0 ? 'gap' : 'gap bad'
  if (cell === undefined || cell.instances === 0) {
    if (lane === 'base') return { kind: 'bad', count: '0', note: 'no base instance' }
    if (gapsFail) return { kind: 'gap bad', count: '→ nothing', note: 'calls fail, as whenLaneMissing says' }
    return { kind, count: kind === 'gap' ? '→ base' : '→ nothing', note: fallback }
  }
  const { instances, healthy, weight, versions } = cell
  const count = `${healthy}/${instances}`
  if (healthy === 0) return { kind: 'bad', count, note: lane === 'base' ? 'none is healthy' : fallback }
  const version = versions.length === 0 ? '' : `${versions.map(plain).join(', ')} · `
  return {
    kind: healthy < instances ? 'part' : 'full',
    count,
    note: `${version}weight ${numberText(weight).replace('.0', '')}`,
  }
}

/** Whether somebody should look at the service. */
export function isWrong({ cells, state, nearMisses }: Row): boolean {
  const all = Object.values(cells)
  return (
    state !== 'ok' ||
    nearMisses > 0 ||
    (cells['base']?.healthy ?? 0) === 0 ||
    all.some(one => one.healthy < one.instances)
  )
}
