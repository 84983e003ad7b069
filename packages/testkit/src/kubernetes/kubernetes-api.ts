import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen, type Teardown } from '../listen.js'
import { applyPatch } from './kubernetes-patch.js'
import { KubernetesStore, matchesSelector, type StoredObject, type StoreEvent } from './kubernetes-store.js'

/** What a test sees of a request. */
export interface ApiRequestRecord {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

/** How the server misbehaves from now on. */
export interface ApiFaults {
  /** Bytes a write, so that JSON is cut everywhere. */
  bytesPerWrite?: number
  /** Each event is sent twice. */
  duplicate?: boolean
  /** Each event is sent after the one that follows it. */
  reorder?: boolean
  /** Reports an expired version by an ERROR event instead of status 410. */
  goneAsEvent?: boolean
  /** A status other than 200, decided for each request. */
  refuse?: (request: ApiRequestRecord) => number | undefined
  /** `Retry-After` of what is refused, in seconds. */
  retryAfter?: number
  /** An older server: it refuses a list as the beginning of a watch, or takes no notice of the wish. */
  noStreamingLists?: 'refuse' | 'ignore'
  /** The version asked for is not there yet, decided for each list. */
  tooLarge?: (request: ApiRequestRecord) => boolean
  /** A list at the beginning of a watch ends after so many objects. */
  cutLists?: number
  /** The connection is reset, decided for each request. */
  reset?: (request: ApiRequestRecord) => boolean
}

interface Watch {
  readonly response: ServerResponse
  readonly collection: string
  readonly selector: string
  readonly metadataOnly: boolean
  silent: boolean
  delayed: StoreEvent | undefined
}

/**
 * The part of the Kubernetes API that discovery and the gate use, on loopback, without a cluster: list in pages or as the
 * beginning of a watch, watch with bookmarks, get, create, merge and JSON patch with conflicts, metadata only, label selectors, `metadata.name`. And all the ways in
 * which an API server, or what stands in front of it, lets a client down.
 */
export class KubernetesApi {
  readonly store = new KubernetesStore()
  readonly faults: ApiFaults = {}
  readonly requests: ApiRequestRecord[] = []
  readonly #watches = new Set<Watch>()
  readonly #stalled = new Set<() => void>()
  #isStalled = false
  port = 0

  static async start(t: Teardown): Promise<KubernetesApi> {
    const api = new KubernetesApi()
    const server = createServer((request, response) => api.#receive(request, response))
    api.port = await listen(t, server)
    api.store.onChange(event => {
      for (const watch of api.#watches) api.#offer(watch, event)
    })
    return api
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** A kubeconfig that leads here. */
  kubeconfig(namespace: string): string {
    return JSON.stringify({
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token: 'test-token' } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
    })
  }

  watches(collection: string): number {
    return [...this.#watches].filter(watch => watch.collection === collection && !watch.silent).length
  }

  /** Ends all watches as a server does after their timeout, or by a reset. */
  endWatches(how: 'end' | 'reset' = 'end'): void {
    for (const watch of this.#watches) {
      if (how === 'end') watch.response.end()
      else watch.response.socket?.resetAndDestroy()
    }
    this.#watches.clear()
  }

  /** The version of every watch has expired while it was open. */
  expireWatches(): void {
    this.store.compact()
    for (const watch of this.#watches) {
      this.#write(watch, {
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
      })
      watch.response.end()
    }
    this.#watches.clear()
  }

  bookmark(): void {
    for (const watch of this.#watches) {
      this.#flush(watch)
      this.#write(watch, { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.store.version) } } })
    }
  }

  /** Sends something that is no event. */
  talkNonsense(): void {
    for (const watch of this.#watches) watch.response.write('{"type":"ADDED","object":{"meta\n')
  }

  /** Open watches fall silent for good, new requests are not answered until {@link resume}. */
  stall(): void {
    this.#isStalled = true
    for (const watch of this.#watches) watch.silent = true
  }

  resume(): void {
    this.#isStalled = false
    for (const go of this.#stalled) go()
    this.#stalled.clear()
  }

  #receive(request: IncomingMessage, response: ServerResponse) {
    if (this.#isStalled) {
      const go = () => this.#receive(request, response)
      this.#stalled.add(go)
      response.on('close', () => this.#stalled.delete(go))
      return
    }
    const url = new URL(request.url ?? '/', this.url)
    const record = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
    }
    this.requests.push(record)
    if (this.faults.reset?.(record)) return void request.socket.resetAndDestroy()
    const refused = this.faults.refuse?.(record)
    if (refused !== undefined) {
      const verb = record.query.get('watch') === 'true' ? 'watch' : 'list'
      const { retryAfter } = this.faults
      if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
      return this.#status(
        response,
        refused,
        `${url.pathname.split('/').pop()} is forbidden: User "test" cannot ${verb}`,
      )
    }
    if (record.method !== 'GET') return void this.#change(record, request, response)
    if (record.query.get('watch') === 'true') return this.#watch(record, response)
    const [collection, name] = split(url.pathname)
    if (name === undefined) return this.#list(record, response)
    const object = this.store.get(collection, name)
    if (object === undefined) return this.#status(response, 404, `${name} not found`)
    this.#json(response, 200, object)
  }

  #list(record: ApiRequestRecord, response: ServerResponse) {
    const { path, query, headers } = record
    const [version = this.store.version, from = 0] = (query.get('continue') ?? '')
      .split(':')
      .filter(Boolean)
      .map(Number)
    if (this.store.since(version) === undefined) return this.#status(response, 410, 'the continue token is too old')
    const least = query.get('resourceVersion') ?? ''
    if (Number(least) > this.store.version || this.faults.tooLarge?.(record)) return this.#tooLarge(response, least)
    const all = this.#select(path, query)
    // From the watch cache there are no pages.
    const limit = least === '' ? Number(query.get('limit') ?? 0) || all.length : all.length
    const items = all.slice(from, from + limit).map(object => (metadataOnly(headers) ? metadataOf(object) : object))
    const more = from + limit < all.length ? { continue: `${version}:${from + limit}` } : {}
    this.#json(response, 200, { kind: 'List', metadata: { resourceVersion: String(version), ...more }, items })
  }

  #select(path: string, query: URLSearchParams): StoredObject[] {
    const name = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '')?.[1]
    const selector = query.get('labelSelector') ?? ''
    return this.store
      .items(path)
      .filter(object => matchesSelector(object, selector) && (name === undefined || object.metadata.name === name))
  }

  #tooLarge(response: ServerResponse, version: string) {
    this.#status(response, 504, `Timeout: Too large resource version: ${version}, current: ${this.store.version}`)
  }

  #watch(record: ApiRequestRecord, response: ServerResponse) {
    const { path, query, headers } = record
    const least = query.get('resourceVersion') ?? ''
    const streams = query.get('sendInitialEvents') === 'true'
    if (streams && this.faults.noStreamingLists === 'refuse')
      return this.#status(
        response,
        422,
        'sendInitialEvents is forbidden for watch unless the WatchList feature gate is on',
      )
    if (streams && (Number(least) > this.store.version || this.faults.tooLarge?.(record)))
      return this.#tooLarge(response, least)
    const events = streams ? [] : this.store.since(Number(least))
    if (events === undefined && this.faults.goneAsEvent !== true)
      return this.#status(response, 410, 'too old resource version')
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    const watch: Watch = {
      response,
      collection: path,
      selector: query.get('labelSelector') ?? '',
      metadataOnly: metadataOnly(headers),
      silent: false,
      delayed: undefined,
    }
    this.#watches.add(watch)
    response.on('close', () => this.#watches.delete(watch))
    if (streams) {
      const { cutLists } = this.faults
      for (const object of this.#select(path, query).slice(0, cutLists))
        this.#write(watch, { type: 'ADDED', object: shown(watch, object) })
      if (cutLists !== undefined) return void response.end()
      if (this.faults.noStreamingLists === undefined) {
        const metadata = {
          resourceVersion: String(this.store.version),
          annotations: { 'k8s.io/initial-events-end': 'true' },
        }
        this.#write(watch, { type: 'BOOKMARK', object: { metadata } })
      }
    }
    for (const event of events ?? []) this.#offer(watch, event)
    if (events !== undefined) return
    this.#watches.delete(watch)
    this.#write(watch, { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })
    response.end()
  }

  #offer(watch: Watch, event: StoreEvent) {
    if (event.collection !== watch.collection) return
    if (!this.faults.reorder) {
      this.#flush(watch)
      return this.#send(watch, event)
    }
    const before = watch.delayed
    watch.delayed = before === undefined ? event : undefined
    if (before === undefined) return
    this.#send(watch, event)
    this.#send(watch, before)
  }

  #flush(watch: Watch): void {
    const event = watch.delayed
    watch.delayed = undefined
    if (event !== undefined) this.#send(watch, event)
  }

  #send(watch: Watch, event: StoreEvent): void {
    const was = matchesSelector(event.before, watch.selector)
    const is = event.type !== 'DELETED' && matchesSelector(event.object, watch.selector)
    if (!was && !is) return
    const type = !is ? 'DELETED' : !was || event.type === 'ADDED' ? 'ADDED' : 'MODIFIED'
    const object = shown(watch, event.object)
    this.#write(watch, { type, object })
    if (this.faults.duplicate) this.#write(watch, { type, object })
  }

  #write(watch: Watch, event: unknown): void {
    if (watch.silent) return
    const bytes = Buffer.from(`${JSON.stringify(event)}\n`)
    const step = this.faults.bytesPerWrite ?? bytes.length
    for (let from = 0; from < bytes.length; from += step) watch.response.write(bytes.subarray(from, from + step))
  }

  async #change(record: ApiRequestRecord, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    const [collection, name] = split(record.path)
    if (record.method === 'POST') {
      body.metadata.name ??= `${body.metadata.generateName}${this.store.version}`
      return this.#json(response, 201, this.store.put(collection, body))
    }
    const object = name === undefined ? undefined : this.store.get(collection, name)
    if (object === undefined) return this.#status(response, 404, `${name} not found`)
    const patched = applyPatch(object, body, record.headers['content-type'] ?? '')
    if (patched === undefined) return this.#status(response, 409, 'the object has been modified')
    this.#json(response, 200, this.store.put(collection, patched))
  }

  #status(response: ServerResponse, code: number, message: string) {
    this.#json(response, code, { kind: 'Status', status: 'Failure', code, message })
  }

  #json(response: ServerResponse, status: number, body: unknown) {
    const bytes = Buffer.from(JSON.stringify(body))
    response.writeHead(status, { 'content-type': 'application/json' })
    const step = this.faults.bytesPerWrite ?? bytes.length
    for (let from = 0; from < bytes.length; from += step) response.write(bytes.subarray(from, from + step))
    response.end()
  }
}

const metadataOnly = (headers: IncomingMessage['headers']) => /as=PartialObjectMetadata/.test(headers.accept ?? '')
const shown = (watch: Watch, object: StoredObject) => (watch.metadataOnly ? metadataOf(object) : object)
const metadataOf = (object: StoredObject) => ({ kind: 'PartialObjectMetadata', metadata: object.metadata })

/** `.../namespaces/shop/pods/a/status` -> the collection and `a`. */
function split(path: string): [collection: string, name: string | undefined] {
  const [, collection = path, name] = /^(.*?\/namespaces\/[^/]+\/[^/]+)(?:\/([^/]+))?/.exec(path) ?? []
  return [collection, name]
}
