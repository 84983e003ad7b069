import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { LaneMark } from '../parts/lane.js'
import { Empty } from '../parts/notice.js'
import { countText, plain } from '../parts/text.js'
import { slotOf } from '../state/lane-style.js'
import { setRoute, useRoute } from '../state/route.js'
import { useModel } from '../state/store.js'
import { CellButton, isWrong, ServiceName } from './matrix-cell.js'
import { ServicePane } from './service-pane.js'

/** As in page.css. */
const ROW_PX = 52
/** Rows drawn beyond what is seen, so that the keys reach the next one. */
const SPARE = 6

/** Services by lanes. Draws the rows that are seen. */
export function Matrix() {
  const { rows, names, lanes, live, can } = useModel()
  const { settings } = useRoute()
  const filter = settings.get('filter') ?? ''
  const isOnlyWrong = settings.get('only') === 'problems'
  const open = settings.get('service')
  const [top, setTop] = useState(0)
  const [height, setHeight] = useState(600)
  const [active, setActive] = useState<readonly [row: number, column: number]>([0, 0])
  const scroll = useRef<HTMLDivElement>(null)
  const toFocus = useRef(false)
  useTick(10_000)

  const shown = useMemo(() => {
    const wanted = filter.toLowerCase()
    return names.filter(name => name.toLowerCase().includes(wanted) && (!isOnlyWrong || isWrong(rows.get(name)!)))
    // Rows change in place.
  }, [names, filter, isOnlyWrong, isOnlyWrong && rows.size, isOnlyWrong && performance.now()])

  useLayoutEffect(() => {
    const element = scroll.current
    if (element === null) return
    const look = () => setHeight(element.clientHeight)
    const observer = new ResizeObserver(look)
    observer.observe(element)
    look()
    return () => observer.disconnect()
  }, [live === 'connecting', names.length === 0])

  useLayoutEffect(() => {
    if (!toFocus.current) return
    toFocus.current = false
    scroll.current?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus({ preventScroll: true })
  })

  const go = (more: Readonly<Record<string, string>>) =>
    setRoute('matrix', { filter, only: isOnlyWrong ? 'problems' : '', service: open ?? '', ...more })

  if (names.length === 0) {
    return live === 'connecting' ? (
      <Empty title="Connecting">The console is being asked for its services.</Empty>
    ) : (
      <Empty title="No services yet">
        The registry lists none. Services appear here by themselves as soon as the first instance registers.
      </Empty>
    )
  }
  const first = Math.max(0, Math.floor(top / ROW_PX) - SPARE)
  const last = Math.min(shown.length, Math.ceil((top + height) / ROW_PX) + SPARE)
  const [row, column] = [Math.min(active[0], shown.length - 1), Math.min(active[1], lanes.length - 1)]

  const onKey = (event: KeyboardEvent) => {
    const step = {
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      ArrowRight: [0, 1],
      ArrowLeft: [0, -1],
      PageDown: [10, 0],
      PageUp: [-10, 0],
      Home: [0, -99],
      End: [0, 99],
    }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const next = [clamp(row + step[0]!, shown.length), clamp(column + step[1]!, lanes.length)] as const
    const element = scroll.current!
    const y = next[0] * ROW_PX
    if (y < element.scrollTop) element.scrollTop = y
    else if (y + 2 * ROW_PX > element.scrollTop + height) element.scrollTop = y + 2 * ROW_PX - height
    setTop(element.scrollTop)
    toFocus.current = true
    setActive(next)
  }

  return (
    <div class={`matrix${open === null ? '' : ' has-pane'}`}>
      <section class="matrix-main">
        <div class="tools">
          <label class="field grow">
            <span class="unseen">Filter services</span>
            <input
              type="search"
              placeholder="Filter services"
              value={filter}
              onInput={event => go({ filter: event.currentTarget.value })}
            />
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={isOnlyWrong}
              onChange={event => go({ only: event.currentTarget.checked ? 'problems' : '' })}
            />
            Problems only
          </label>
          <p class="sum num" aria-live="off">
            {shown.length === names.length
              ? countText(names.length, 'service')
              : `${shown.length} of ${names.length} services`}
            , {countText(lanes.length - 1, 'lane')}
          </p>
        </div>
        <div class="scroll" ref={scroll} onScroll={event => setTop(event.currentTarget.scrollTop)}>
          <table
            // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the keys move in it, as in a grid of ARIA
            role="grid"
            aria-label="Services by lanes"
            aria-rowcount={shown.length + 1}
            aria-colcount={lanes.length + 1}
            style={{ '--lanes': lanes.length }}
            onKeyDown={onKey}
          >
            <thead>
              <tr aria-rowindex={1}>
                <th scope="col" class="name">
                  Service
                </th>
                {lanes.map(lane => (
                  <th key={lane} scope="col">
                    <span class={`lane l${slotOf(lane)}`}>
                      <LaneMark lane={lane} />
                      <span class="lane-text">{plain(lane)}</span>
                    </span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <Spacer rows={first} columns={lanes.length + 1} />
              {shown.slice(first, last).map((name, index) => (
                <tr key={name} aria-rowindex={first + index + 2} class={name === open ? 'open' : undefined}>
                  <ServiceName row={rows.get(name)!} />
                  {lanes.map((lane, at) => (
                    <td key={lane}>
                      <CellButton
                        row={rows.get(name)!}
                        lane={lane}
                        gapsFail={can.gapsFail}
                        isActive={first + index === row && at === column}
                        onOpen={() => {
                          setActive([first + index, at])
                          go({ service: name })
                        }}
                      />
                    </td>
                  ))}
                </tr>
              ))}
              <Spacer rows={shown.length - last} columns={lanes.length + 1} />
            </tbody>
          </table>
          {shown.length === 0 && (
            <p class="none">
              No service fits.{' '}
              <button type="button" class="link" onClick={() => go({ filter: '', only: '' })}>
                Show all
              </button>
            </p>
          )}
        </div>
      </section>
      {open !== null && (
        <ServicePane
          service={open}
          onClose={() => {
            toFocus.current = true
            go({ service: '' })
          }}
        />
      )}
    </div>
  )
}

function Spacer({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus
    <tr aria-hidden="true" class="spacer">
      <td colSpan={columns} style={{ height: `${rows * ROW_PX}px` }} />
    </tr>
  )
}

const clamp = (value: number, length: number) => Math.max(0, Math.min(length - 1, value))

/** Ages grow while nothing changes. */
function useTick(ms: number): void {
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick(count => count + 1), ms)
    return () => clearInterval(timer)
  }, [ms])
}
