import { useEffect, useState } from 'preact/hooks'
import { Empty, Problem } from '../parts/notice.js'
import { plain } from '../parts/text.js'
import { slotOf } from '../state/lane-style.js'
import { setRoute, useRoute } from '../state/route.js'
import { useModel } from '../state/store.js'
import { LaneMap } from './lane-map.js'

/** Who calls whom, and where the calls of a lane were served. Two lanes stand side by side. */
export function TrafficMap() {
  const { traffic, rows, lanes } = useModel()
  const { settings } = useRoute()
  const windowWidth = useWindowWidth()
  if (traffic === null) {
    return (
      <Empty title="No source of traffic">
        Start the console with <code>--prometheus URL</code>, <code>--processes</code> or <code>--lanes-of URL</code>,
        and the map shows who calls whom.
      </Empty>
    )
  }
  const known = [...new Set([...lanes, ...traffic.flows.map(flow => flow.lane)])]
  const first = settings.get('lane') ?? known.find(lane => lane !== 'base') ?? 'base'
  const second = settings.get('beside') ?? (first === 'base' ? '' : 'base')
  const go = (more: Readonly<Record<string, string>>) => setRoute('map', { lane: first, beside: second, ...more })
  const choice = (value: string, name: string, label: string, extra?: string) => (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={event => go({ [name]: event.currentTarget.value })}>
        {extra !== undefined && <option value="none">{extra}</option>}
        {[...new Set([...known, ...(value === 'none' || value === '' ? [] : [value])])].map(lane => (
          <option key={lane} value={lane}>
            {plain(lane)}
          </option>
        ))}
      </select>
    </label>
  )
  const shown = [first, second].filter(lane => lane !== '' && lane !== 'none')
  return (
    <div class="map">
      <div class="tools">
        {choice(first, 'lane', 'Lane')}
        {choice(second === '' ? 'none' : second, 'beside', 'Beside', 'nothing')}
        <ul class="legend">
          <li>
            <Line kind="served" lane={first} /> served in the lane
          </li>
          <li>
            <Line kind="back" lane={first} /> fell back
          </li>
          <li>
            <Line kind="failed" lane={first} /> failed
          </li>
        </ul>
        <p class="sum">{plain(traffic.from)}</p>
      </div>
      {traffic.error !== undefined && <Problem>{plain(traffic.error)}</Problem>}
      {traffic.places.length === 0 ? (
        <Empty title="No calls seen yet">Calls appear a few seconds after services make them.</Empty>
      ) : (
        <div class="maps">
          {shown.map(lane => (
            <LaneMap
              key={lane}
              lane={lane}
              traffic={traffic}
              rows={rows}
              isDown={traffic.width > (windowWidth - 64) / shown.length - 32}
            />
          ))}
        </div>
      )}
    </div>
  )
}

function Line({ kind, lane }: { kind: string; lane: string }) {
  return (
    <svg class={`edge l${slotOf(lane)} legend-line`} viewBox="0 0 28 8" aria-hidden="true">
      <g class={kind}>
        <path d="M1 4H27" stroke-width="2.5" />
      </g>
    </svg>
  )
}

function useWindowWidth(): number {
  const [width, set] = useState(innerWidth)
  useEffect(() => {
    const listener = () => set(innerWidth)
    addEventListener('resize', listener)
    return () => removeEventListener('resize', listener)
  }, [])
  return width
}
