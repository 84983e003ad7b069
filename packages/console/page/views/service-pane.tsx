import { useEffect, useRef, useState } from 'preact/hooks'
import type { InstanceView, ServiceDetails } from '../../src/wire.js'
import { LaneName } from '../parts/lane.js'
import { Problem } from '../parts/notice.js'
import { ageText, agoText, countText, plain } from '../parts/text.js'
import { fetchJson, useModel } from '../state/store.js'

/** The instances of one service with what the registry says of them. */
export function ServicePane({ service, onClose }: { service: string; onClose: () => void }) {
  const { rows } = useModel()
  const [details, setDetails] = useState<ServiceDetails | undefined>()
  const [problem, setProblem] = useState('')
  const heading = useRef<HTMLHeadingElement>(null)
  const row = rows.get(service)

  useEffect(() => heading.current?.focus(), [service])
  useEffect(() => {
    const controller = new AbortController()
    fetchJson<ServiceDetails>(`api/service?name=${encodeURIComponent(service)}`).then(
      found => {
        if (controller.signal.aborted) return
        setDetails(found)
        setProblem('')
      },
      error => !controller.signal.aborted && setProblem((error as Error).message),
    )
    return () => controller.abort()
    // A row is a new object when the service has changed.
  }, [service, row])

  const isOpen = details?.service === service
  return (
    <aside class="pane" aria-labelledby="pane-title" onKeyDown={event => event.key === 'Escape' && onClose()}>
      <header>
        <div>
          <h2 id="pane-title" tabIndex={-1} ref={heading}>
            {plain(service)}
          </h2>
          <p class="note">
            {row === undefined ? 'is gone' : `from ${plain(row.source)}, changed ${agoText(row.changedAt)}`}
          </p>
        </div>
        <button type="button" class="close" onClick={onClose} aria-label="Close">
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M2 2l8 8M10 2l-8 8" />
          </svg>
        </button>
      </header>
      {problem !== '' && <Problem>{plain(problem)}</Problem>}
      {row?.error !== undefined && <Problem>{plain(row.error)}</Problem>}
      {isOpen && details.instances.length === 0 && <p class="none">No instance is registered.</p>}
      <ul class="instances">
        {(isOpen ? details.instances : []).map((one, index) => (
          <Instance key={`${one.address} ${index}`} one={one} />
        ))}
      </ul>
      {isOpen && details.more > 0 && <p class="none">{countText(details.more, 'more instance')}.</p>}
    </aside>
  )
}

function Instance({ one }: { one: InstanceView }) {
  const { address, lanes, weight, health, zone, registeredAt, metadata } = one
  const facts = [
    `weight ${weight}`,
    ...(zone === undefined ? [] : [`zone ${plain(zone)}`]),
    ...(registeredAt === undefined ? [] : [`up ${ageText(registeredAt)}`]),
  ]
  return (
    <li>
      <p class="instance">
        <span class="num address">{plain(address)}</span>
        {lanes.map(lane => (
          <LaneName key={lane} lane={plain(lane)} />
        ))}
        <span class={`health ${health}`}>{health}</span>
        <span class="note num">{facts.join(' · ')}</span>
      </p>
      {metadata.length > 0 && (
        <dl>
          {metadata.map(({ key, value, meant }) => (
            <div key={key} class={meant === undefined ? undefined : 'meant'}>
              <dt>{plain(key)}</dt>
              <dd>
                {value === '' ? <span class="note">empty</span> : plain(value)}
                {meant !== undefined && <span class="warn">Not read: is it {meant}? The instance counts as base.</span>}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  )
}
