import { slotOf } from '../state/lane-style.js'

/** Shapes of 10 by 10; colour alone would not tell lanes apart for everybody. */
const SHAPES = [
  'M5 1.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7z',
  'M5 .5L9.5 5L5 9.5L.5 5z',
  'M1 1h8v8h-8z',
  'M5 .8L9.6 9h-9.2z',
  'M5 9.2L.4 1h9.2z',
  'M3.6.6h2.8v3h3v2.8h-3v3h-2.8v-3h-3v-2.8h3z',
  'M2.7.8h4.6L9.6 5L7.3 9.2h-4.6L.4 5z',
  'M5 .5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zM5 3a2 2 0 1 1 0 4a2 2 0 1 1 0-4z',
  'M.8 3.2L3.2.8L5 2.6L6.8.8L9.2 3.2L7.4 5L9.2 6.8L6.8 9.2L5 7.4L3.2 9.2L.8 6.8L2.6 5z',
]

/** The mark of a lane. */
export function LaneMark({ lane }: { lane: string }) {
  const slot = slotOf(lane)
  return (
    <svg class={`mark l${slot}`} viewBox="0 0 10 10" aria-hidden="true">
      <path d={SHAPES[slot]} fill-rule="evenodd" />
    </svg>
  )
}

/** A lane with its mark and name; a list of tags has one each. */
export function LaneName({ lane }: { lane: string }) {
  return (
    <span class={`lane l${slotOf(lane.split(',')[0]!)}`}>
      <LaneMark lane={lane.split(',')[0]!} />
      <span class="lane-text">{lane}</span>
    </span>
  )
}
