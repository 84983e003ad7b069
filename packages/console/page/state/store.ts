import { useEffect, useState } from 'preact/hooks'
import type { Everything, Row, Some } from '../../src/wire.js'

/** What the page knows. One object for the life of the page; views render again when it says so. */
export interface Model {
  live: 'connecting' | 'live' | 'lost'
  readonly rows: Map<string, Row>
  /** Names of services, in order. */
  names: readonly string[]
  /** Base first, then by name. */
  lanes: readonly string[]
  registries: Everything['registries']
  traffic: Everything['traffic']
  releases: Everything['releases']
  messages: Everything['messages']
  can: Everything['can']
}

export const model: Model = {
  live: 'connecting',
  rows: new Map(),
  names: [],
  lanes: ['base'],
  registries: [],
  traffic: null,
  releases: null,
  messages: null,
  can: { explain: false, rules: null, entrances: [], gapsFail: false },
}

const listeners = new Set<() => void>()
let drawing = false

/** All changes of one frame are drawn together. */
function changed(): void {
  if (drawing) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    for (const listener of listeners) listener()
  })
}

/** Renders the component again when the model has changed. */
export function useModel(): Model {
  const [, draw] = useState(0)
  useEffect(() => {
    const listener = () => draw(count => count + 1)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }, [])
  return model
}

function takeRows(rows: readonly Row[], gone: readonly string[]): void {
  let isNew = gone.length > 0
  const lanes = new Set(model.lanes)
  for (const row of rows) {
    isNew ||= !model.rows.has(row.service)
    // `constructor` is a good name for a lane.
    Object.setPrototypeOf(row.cells, null)
    model.rows.set(row.service, row)
    for (const lane of Object.keys(row.cells)) lanes.add(lane)
  }
  for (const service of gone) model.rows.delete(service)
  if (isNew) model.names = [...model.rows.keys()].sort()
  const used = new Set(['base'])
  for (const { cells } of model.rows.values()) for (const lane of Object.keys(cells)) used.add(lane)
  const kept = [...lanes].filter(lane => used.has(lane) && lane !== 'base').sort()
  model.lanes = ['base', ...kept]
}

/** Follows the server; the browser connects again by itself. */
export function follow(): void {
  const events = new EventSource('events')
  events.addEventListener('all', event => {
    const { rows, ...parts } = JSON.parse(event.data) as Everything
    model.rows.clear()
    Object.assign(model, parts, { live: 'live' })
    model.lanes = ['base']
    takeRows(rows, [])
    model.names = [...model.rows.keys()].sort()
    changed()
  })
  events.addEventListener('some', event => {
    const { rows = [], gone = [], ...parts } = JSON.parse(event.data) as Some
    Object.assign(model, parts)
    takeRows(rows, gone)
    changed()
  })
  events.addEventListener('error', () => {
    model.live = 'lost'
    changed()
    // The server refused; browsers give up after that.
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000)
  })
}

/** Asks the server. @throws Error with what it says */
export async function fetchJson<T>(path: string, body?: unknown): Promise<T> {
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const response = await fetch(path, body === undefined ? {} : options)
  const text = await response.text()
  if (response.ok) return JSON.parse(text) as T
  throw new Error(text.startsWith('{') ? (JSON.parse(text) as { error: string }).error : text)
}
