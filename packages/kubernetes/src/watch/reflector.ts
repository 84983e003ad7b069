import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'
import { identityOf, type KubeObject } from '../objects/kube-object.js'
import type { ApiClient } from './api-client.js'
import { ApiError, isExpired, isRefused, isThrottled, statusError } from './api-error.js'
import { isOlder } from './resource-version.js'

/** Who is told what a reflector sees. */
export interface ReflectorHandler<T> {
  /** The part of an object that is kept. May throw for nonsense. */
  read(object: KubeObject): T
  /** The whole collection, by uid, after a list. The map is the handler's to keep. */
  replaced(objects: Map<string, T>): void
  /** One object came, changed or (`undefined`) went. */
  changed(uid: string, value: T | undefined, before: T | undefined): void
  /** A watch is open: what is known is up to date, or will be in a moment. */
  live(): void
  /** The API server is lost, refuses, or talks nonsense. Told on each attempt after the first. */
  lost(error: unknown, verb: 'list' | 'watch'): void
}

/** What to mirror, and how patiently. */
export interface ReflectorOptions {
  readonly client: ApiClient
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Labels and names only, no spec and status. */
  readonly metadataOnly: boolean
  /** Objects a page; a page is parsed in one go, so this bounds the stall of the event loop. */
  readonly pageSize: number
  readonly idleTimeoutMs: number
  readonly relistMs: number
  readonly minBackoffMs: number
  readonly maxBackoffMs: number
  readonly random: () => number
}

interface Entry<T> {
  readonly version: string
  readonly value: T
}

const METADATA = 'g=meta.k8s.io;v=v1'
/** A watch that lived this long without any event was a good one. */
const GOOD_WATCH_MS = 5_000
/** uids never come back; a late event of a deleted object must not revive it. */
const MAX_TOMBSTONES = 10_000
/** After so many failures in a row the version is not trusted any more. */
const RELIST_AFTER = 3

/**
 * Mirrors one collection: list, then watch from there, for ever. It survives closed, stalled and garbled connections,
 * expired versions, and events that come twice or in the wrong order.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export class Reflector<T> {
  readonly #options: ReflectorOptions
  readonly #handler: ReflectorHandler<T>
  readonly #abort = new AbortController()
  #entries = new Map<string, Entry<T>>()
  readonly #tombstones = new Set<string>()
  #version: string | undefined
  #listedAt = 0
  #listed = false
  #useful = false
  #disordered = false
  readonly #done: Promise<void>

  constructor(options: ReflectorOptions, handler: ReflectorHandler<T>) {
    this.#options = options
    this.#handler = handler
    this.#done = this.#run()
  }

  /** Ends the watch; settles when nothing of it is left. */
  close(): Promise<void> {
    this.#abort.abort()
    return this.#done
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    let failures = 0
    let expired = false
    let throttledAt: number | undefined
    let verb: 'list' | 'watch' = 'list'
    while (!signal.aborted) {
      let lastError: unknown
      try {
        if (this.#version === undefined || this.#isOld()) {
          verb = 'list'
          await this.#list()
        }
        verb = 'watch'
        await this.#watch()
        throttledAt = undefined
        if (this.#disordered) this.#version = undefined
        failures = this.#useful ? 0 : failures + 1
        if (this.#useful) expired = false
        if (failures > 1) this.#handler.lost(new ApiError(0, 'the server ends each watch at once'), verb)
      } catch (error) {
        if (signal.aborted) return
        if (this.#useful) {
          failures = 0
          expired = false
        }
        this.#useful = false
        // A version that expired once is ordinary; one that keeps expiring is a failure like others.
        if (isExpired(error) && !expired) {
          expired = true
          this.#version = undefined
          continue
        }
        failures++
        if (isThrottled(error)) {
          // The server is there, and the version holds: the watch is opened again from it, later. A list would cost more.
          if (verb === 'list') this.#listedAt = performance.now()
          if (this.#useful) throttledAt = undefined
          throttledAt ??= performance.now()
          // After this long a watch that says nothing is taken for lost, too.
          const silent = performance.now() - throttledAt
          if (!this.#listed || silent > this.#options.idleTimeoutMs) this.#handler.lost(error, verb)
          await this.#pause(failures, error)
          continue
        }
        throttledAt = undefined
        if (isExpired(error) || isNonsense(error) || failures >= RELIST_AFTER) this.#version = undefined
        // A single lost connection is no news, unless nothing was ever known.
        if (failures > 1 || !this.#listed || isRefused(error)) this.#handler.lost(error, verb)
        lastError = error
      }
      this.#useful = false
      if (failures > 0) await this.#pause(failures, lastError)
    }
  }

  /** As long as the server says, and a little more by chance, so that not all come back in one moment. */
  async #pause(failures: number, error: unknown): Promise<void> {
    const { minBackoffMs, maxBackoffMs, random } = this.#options
    const asked = error instanceof ApiError ? error.retryAfterMs : undefined
    const ms =
      asked === undefined ? backoffMs(failures - 1, minBackoffMs, maxBackoffMs, random) : asked * (1 + random() / 10)
    await sleep(ms, undefined, { signal: this.#abort.signal }).catch(() => {})
  }

  /** Spread over a fifth of the interval, and only looked at when a watch ends anyway. */
  #isOld(): boolean {
    const { relistMs, random } = this.#options
    return relistMs > 0 && performance.now() - this.#listedAt > relistMs * (0.8 + random() / 5)
  }

  /** Until it has ended the version that was known stays: when the list fails, the watch goes on from there. */
  async #list(): Promise<void> {
    const { metadataOnly, pageSize } = this.#options
    const accept = metadataOnly
      ? `application/json;as=PartialObjectMetadataList;${METADATA},application/json`
      : 'application/json'
    // Filled page by page: copying thousands of objects at the end would hold up the event loop.
    let entries = new Map<string, Entry<T>>()
    let values = new Map<string, T>()
    let version: string | undefined
    let next = ''
    let limit = pageSize
    for (;;) {
      let page: KubeObject & { items?: readonly KubeObject[] | null }
      try {
        page = (await this.#options.client.get({
          path: this.#options.path,
          query: {
            ...this.#options.query,
            ...(limit > 0 ? { limit: String(limit) } : {}),
            ...(next === '' ? {} : { continue: next }),
          },
          accept,
          signal: this.#abort.signal,
        })) as typeof page
      } catch (error) {
        if (next === '' || !isExpired(error)) throw error
        // The list took longer than the server's memory: once more, in one piece.
        entries = new Map()
        values = new Map()
        next = ''
        limit = 0
        continue
      }
      for (const item of page.items ?? []) {
        const { uid, version } = identityOf(item)
        const known = this.#entries.get(uid)
        const entry = known?.version === version ? known : { version, value: this.#handler.read(item) }
        entries.set(uid, entry)
        values.set(uid, entry.value)
      }
      version = page.metadata?.resourceVersion
      next = page.metadata?.continue ?? ''
      if (next === '') break
    }
    if (version === undefined || version === '') throw new TypeError('a list without resourceVersion')
    this.#entries = entries
    this.#tombstones.clear()
    this.#version = version
    this.#listedAt = performance.now()
    this.#listed = true
    this.#disordered = false
    this.#handler.replaced(values)
  }

  async #watch(): Promise<void> {
    const { client, path, query, metadataOnly, idleTimeoutMs, random } = this.#options
    const opened = performance.now()
    this.#useful = false
    await client.watch({
      path,
      query: {
        ...query,
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: this.#version ?? '',
        // Spread, so that watches opened together do not end together.
        timeoutSeconds: String(240 + Math.floor(random() * 60)),
      },
      accept: metadataOnly
        ? `application/json;as=PartialObjectMetadata;${METADATA},application/json`
        : 'application/json',
      signal: this.#abort.signal,
      idleTimeoutMs,
      onOpen: () => this.#handler.live(),
      onLine: line => this.#event(JSON.parse(line)),
    })
    if (performance.now() - opened >= GOOD_WATCH_MS) this.#useful = true
  }

  #event(event: { type?: unknown; object?: KubeObject }): void {
    const object = event.object ?? {}
    if (event.type === 'ERROR') throw statusError(500, object, 'the watch ended')
    if (event.type === 'BOOKMARK') {
      this.#advance(object.metadata?.resourceVersion)
      return
    }
    const { uid, version } = identityOf(object)
    const before = this.#entries.get(uid)
    if (event.type === 'DELETED') {
      if (this.#tombstones.size >= MAX_TOMBSTONES) this.#tombstones.clear()
      this.#tombstones.add(uid)
      if (this.#entries.delete(uid)) this.#handler.changed(uid, undefined, before?.value)
    } else if (event.type === 'ADDED' || event.type === 'MODIFIED') {
      const again = before !== undefined && (before.version === version || isOlder(version, before.version))
      if (!again && !this.#tombstones.has(uid)) {
        const value = this.#handler.read(object)
        this.#entries.set(uid, { version, value })
        this.#handler.changed(uid, value, before?.value)
      }
    } else {
      throw new TypeError(`an event of type ${String(event.type)}`)
    }
    this.#advance(version)
  }

  #advance(version: string | undefined): void {
    this.#useful = true
    if (version === undefined || version === '') return
    // A proper server sends events in order. After one that does not, resuming could skip something: list again.
    if (this.#version !== undefined && isOlder(version, this.#version)) this.#disordered = true
    else this.#version = version
  }
}

function isNonsense(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError
}
