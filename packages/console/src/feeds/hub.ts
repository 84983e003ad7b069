import type { ServerResponse } from 'node:http'
import type { Everything, Row, Some } from '../wire.js'

/** Changes of this time go out together: people do not read faster. */
const GATHER_MS = 250
const BEAT_MS = 15_000
/** A page that reads nothing is cut off; it connects again and gets everything. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024
const MAX_CLIENTS = 50

type Parts = Omit<Everything, 'rows' | 'can'>

/** Keeps what the page shows, and sends changes to all pages that are open. */
export class Hub {
  readonly #can: Everything['can']
  readonly #clients = new Set<ServerResponse>()
  /** Each row as JSON, so that one that is the same again is not sent again. */
  readonly #rows = new Map<string, string>()
  readonly #parts: { -readonly [K in keyof Parts]: string }
  readonly #changedRows = new Set<string>()
  readonly #changedParts = new Set<keyof Parts>()
  readonly #beat: NodeJS.Timeout
  #timer: NodeJS.Timeout | undefined

  constructor(can: Everything['can'], parts: Parts) {
    this.#can = can
    this.#parts = {
      registries: JSON.stringify(parts.registries),
      traffic: JSON.stringify(parts.traffic),
      releases: JSON.stringify(parts.releases),
      messages: JSON.stringify(parts.messages),
    }
    this.#beat = setInterval(() => this.#write(': beat\n\n'), BEAT_MS)
    this.#beat.unref()
  }

  get clients(): number {
    return this.#clients.size
  }

  /** @param row - `undefined` when the service is gone */
  setRow(service: string, row: Row | undefined): void {
    const text = row === undefined ? undefined : JSON.stringify(row)
    if (this.#rows.get(service) === text) return
    if (text === undefined) this.#rows.delete(service)
    else this.#rows.set(service, text)
    this.#changedRows.add(service)
    this.#gather()
  }

  set<K extends keyof Parts>(part: K, value: Parts[K]): void {
    const text = JSON.stringify(value)
    if (this.#parts[part] === text) return
    this.#parts[part] = text
    this.#changedParts.add(part)
    this.#gather()
  }

  /** Sends everything to a new page, and changes from then on. */
  join(response: ServerResponse): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      response
        .writeHead(503, { 'content-type': 'text/plain' })
        .end(`${MAX_CLIENTS} pages are open, which is the limit\n`)
      return
    }
    // The new page is given these with everything else.
    if (this.#timer !== undefined) this.#flush()
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    response.on('close', () => this.#clients.delete(response))
    response.on('error', () => this.#clients.delete(response))
    const parts = Object.entries(this.#parts).map(([name, text]) => `"${name}":${text}`)
    const rows = [...this.#rows.values()].join(',')
    response.write(`event: all\ndata: {"rows":[${rows}],"can":${JSON.stringify(this.#can)},${parts.join(',')}}\n\n`)
    this.#clients.add(response)
  }

  close(): void {
    clearInterval(this.#beat)
    clearTimeout(this.#timer)
    for (const client of this.#clients) client.end()
  }

  #gather(): void {
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const rows: string[] = []
    const gone: Some['gone'] & string[] = []
    for (const service of this.#changedRows) {
      const text = this.#rows.get(service)
      if (text === undefined) gone.push(service)
      else rows.push(text)
    }
    const fields = [...this.#changedParts].map(part => `"${part}":${this.#parts[part]}`)
    if (rows.length > 0) fields.push(`"rows":[${rows.join(',')}]`)
    if (gone.length > 0) fields.push(`"gone":${JSON.stringify(gone)}`)
    this.#changedRows.clear()
    this.#changedParts.clear()
    this.#write(`event: some\ndata: {${fields.join(',')}}\n\n`)
  }

  #write(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > MAX_BUFFERED_BYTES) client.destroy()
      else client.write(text)
    }
  }
}
