import type { Flow, Row, Traffic } from '../../src/wire.js'
import { LaneMark } from '../parts/lane.js'
import { numberText, plain } from '../parts/text.js'
import { slotOf } from '../state/lane-style.js'

const BOX = { width: 168, height: 48 }

/** How the calls of one lane between two services ended, per second. */
interface Edge {
  readonly from: string
  readonly to: string
  served: number
  fellBack: number
  failed: number
}

interface LaneMapProps {
  readonly lane: string
  readonly traffic: Traffic
  readonly rows: ReadonlyMap<string, Row>
  readonly isDown: boolean
}

/** The map of one lane, and the same as a table. */
export function LaneMap({ lane, traffic, rows, isDown }: LaneMapProps) {
  const edges = edgesOf(traffic.flows, lane)
  // Where there is little width the way leads down. The server's layout leads to the right: ranks and rows change places.
  const places = new Map(
    traffic.places.map(({ name, x, y }) => [
      name,
      isDown ? { x: (y - 36) * 2.58 + 96, y: (x - 96) * 0.42 + 36 } : { x, y },
    ]),
  )
  const width = isDown ? (traffic.height - 72) * 2.58 + 192 : traffic.width
  const height = isDown ? (traffic.width - 192) * 0.42 + 72 : traffic.height
  const total = edges.reduce((sum, one) => sum + one.served + one.fellBack + one.failed, 0)
  return (
    <section class="lane-map" aria-label={`Lane ${plain(lane)}`}>
      <h2 class={`lane l${slotOf(lane)}`}>
        <LaneMark lane={lane} /> <span class="lane-text">{plain(lane)}</span>{' '}
        <span class="note num">{numberText(total)} calls/s</span>
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keys scroll it */}
      <section class="canvas" tabIndex={0} aria-label={`Map of lane ${plain(lane)}`}>
        <svg
          viewBox={`0 0 ${width} ${height}`}
          style={{ width: `min(100%, ${width}px)`, minWidth: `${Math.round(width * 0.75)}px` }}
          role="img"
          aria-label={`Calls of lane ${plain(lane)}; the table below has the numbers`}
        >
          {edges.map(edge => (
            <EdgeLines key={`${edge.from}\n${edge.to}`} edge={edge} lane={lane} places={places} isDown={isDown} />
          ))}
          {[...places].map(([name, { x, y }]) => {
            const cell = rows.get(name)?.cells[lane]
            const base = rows.get(name)?.cells['base']
            const isOwn = cell !== undefined && cell.healthy > 0
            const note = isOwn
              ? `${cell.healthy}/${cell.instances} ${lane}`
              : base === undefined
                ? 'not in the registry'
                : `base ${base.healthy}/${base.instances}`
            return (
              <g
                key={name}
                class={`place ${isOwn ? `own l${slotOf(lane)}` : ''}`}
                transform={`translate(${x - BOX.width / 2} ${y - BOX.height / 2})`}
              >
                <rect width={BOX.width} height={BOX.height} rx="6" />
                <text x="12" y="20" class="place-name">
                  {short(plain(name), 20)}
                </text>
                <text x="12" y="37" class="place-note">
                  {short(plain(note), 24)}
                </text>
              </g>
            )
          })}
        </svg>
      </section>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Calls</th>
            <th scope="col" class="r">
              In the lane
            </th>
            <th scope="col" class="r">
              Fell back
            </th>
            <th scope="col" class="r">
              Failed
            </th>
          </tr>
        </thead>
        <tbody>
          {edges.length === 0 && (
            <tr>
              <td colSpan={4} class="note">
                No call of this lane in the last seconds.
              </td>
            </tr>
          )}
          {edges.map(({ from, to, served, fellBack, failed }) => (
            <tr key={`${from}\n${to}`}>
              <th scope="row">
                {plain(from)} → {plain(to)}
              </th>
              <td class="r num">{numberText(served)}</td>
              <td class={`r num ${fellBack > 0 ? 'warn' : ''}`}>{numberText(fellBack)}</td>
              <td class={`r num ${failed > 0 ? 'bad' : ''}`}>{numberText(failed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

interface EdgeLinesProps {
  readonly edge: Edge
  readonly lane: string
  readonly places: ReadonlyMap<string, { x: number; y: number }>
  readonly isDown: boolean
}

function EdgeLines({ edge, lane, places, isDown }: EdgeLinesProps) {
  const from = places.get(edge.from)
  const to = places.get(edge.to)
  if (from === undefined || to === undefined || edge.from === edge.to) return null
  const kinds = [
    ['served', edge.served],
    ['back', edge.fellBack],
    ['failed', edge.failed],
  ] as const
  const some = kinds.filter(([, rate]) => rate > 0)
  return (
    <g class={`edge l${slotOf(lane)}`}>
      {some.map(([kind, rate], index) => {
        const shift = (index - (some.length - 1) / 2) * 20
        const [x1, y1] = isDown ? [from.x + shift, from.y + BOX.height / 2] : [from.x + BOX.width / 2, from.y + shift]
        const [x2, y2] = isDown ? [to.x + shift, to.y - BOX.height / 2] : [to.x - BOX.width / 2, to.y + shift]
        const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2]
        const path = isDown
          ? `M${x1} ${y1}C${x1} ${my} ${x2} ${my} ${x2} ${y2}`
          : `M${x1} ${y1}C${mx} ${y1} ${mx} ${y2} ${x2} ${y2}`
        const [lx, ly] = labelAt(x1, y1, x2, y2, isDown)
        // The first of several lines has its label on its outer side, so that no line crosses it.
        const isOuter = index === 0 && some.length > 1
        const below = some.length > 2 && index > 0 ? (index - some.length / 2) * 15 : 0
        return (
          <g key={kind} class={kind}>
            <path d={path} stroke-width={Math.min(6, 1.5 + Math.log10(1 + rate)).toFixed(1)} />
            <text
              x={isDown ? lx + (isOuter ? -8 : 8) : lx}
              y={isDown ? ly + 4 + below : ly - 6}
              text-anchor={isDown ? (isOuter ? 'end' : 'start') : 'middle'}
            >
              {numberText(rate)}/s
            </text>
          </g>
        )
      })}
    </g>
  )
}

/** A point of the curve nearer to its end, where lines to different services are apart. */
function labelAt(x1: number, y1: number, x2: number, y2: number, isDown: boolean): readonly [number, number] {
  const [near, far] = [0.64, 0.7]
  const along = (from: number, to: number, share: number) => from + (to - from) * share
  return isDown ? [along(x1, x2, far), along(y1, y2, near)] : [along(x1, x2, near), along(y1, y2, far)]
}

function edgesOf(flows: readonly Flow[], lane: string): Edge[] {
  const edges = new Map<string, Edge>()
  for (const { from, to, lane: asked, served, perSecond } of flows) {
    if (asked !== lane) continue
    const key = `${from}\n${to}`
    const edge = edges.get(key) ?? { from, to, served: 0, fellBack: 0, failed: 0 }
    edges.set(key, edge)
    if (served === 'none') edge.failed += perSecond
    else if (lane.split(',').includes(served)) edge.served += perSecond
    else edge.fellBack += perSecond
  }
  return [...edges.values()].sort((a, b) => (`${a.from}\n${a.to}` < `${b.from}\n${b.to}` ? -1 : 1))
}

const short = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text)
