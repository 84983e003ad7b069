import type { Judged } from '../../src/wire.js'
import { slotOf } from '../state/lane-style.js'
import { LaneMark } from './lane.js'
import { numberText } from './text.js'

const WIDTH = 160
const HEIGHT = 36

/** Two lines over time, the lane before base, and both numbers of now. */
export function Plot({ plot, lane }: { plot: Judged['plots'][number]; lane: string }) {
  const { name, unit, points } = plot
  const values = points.flatMap(point => [point.lane ?? 0, point.base ?? 0])
  const most = Math.max(...values, Number.MIN_VALUE)
  const line = (pick: 'lane' | 'base') => {
    let path = ''
    let gap = true
    for (const [index, point] of points.entries()) {
      const value = point[pick]
      if (value === null) {
        gap = true
        continue
      }
      const x = points.length === 1 ? WIDTH : (index * WIDTH) / (points.length - 1)
      path += `${gap ? 'M' : 'L'}${x.toFixed(1)} ${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`
      gap = false
    }
    return path
  }
  const last = points.at(-1)
  const now = `${name}: ${lane} ${numberText(last?.lane ?? null)} ${unit}, base ${numberText(last?.base ?? null)} ${unit}`
  return (
    <figure class="plot">
      <figcaption>
        <span>{name}</span>
        <span class="num">
          <LaneMark lane={lane} />
          {numberText(last?.lane ?? null)}
          <span class="of">
            {' '}
            / {numberText(last?.base ?? null)} {unit}
          </span>
        </span>
      </figcaption>
      <svg
        class={`l${slotOf(lane)}`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={now}
        preserveAspectRatio="none"
      >
        <path class="axis" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
        <path class="line base" d={line('base')} />
        <path class="line" d={line('lane')} />
      </svg>
    </figure>
  )
}
