import { setTimeout as sleep } from 'node:timers/promises'
import { backoffMs } from '@laneway/core/internal'
import { METADATA_EVENTS, WHOLE } from './accept.js'
import { ApiError, isExpired, isRefused, isThrottled, isTooLarge, isUnsupported, statusError } from './api-error.js'
import { Collection, type Filling } from './collection.js'
import { listCollection } from './list-collection.js'
import type { ReflectorHandler, ReflectorOptions } from './reflector-options.js'
import { isOlder } from './resource-version.js'
import type { Selection } from './selection.js'
import { NoStreamingLists, takeListed, type WatchEvent } from './streaming-list.js'

/** A watch that lived this long without any event was a good one. */
const GOOD_WATCH_MS = 5_000
/** After so many failures in a row the version is not trusted any more. */
const RELIST_AFTER = 3
/** A watch from an expired version, and a list that is not older than it, are both tried without a pause. */
const MAX_REPEATS = 2

/**
 * Mirrors one selection of a collection: list, then watch from there, for ever. It survives closed, stalled and garbled
 * connections, expired versions, and events that come twice or in the wrong order.
 *
 * Lists come from the watch cache of the API server, never older than what is known, as in client-go: as the beginning of
 * the watch where the server has streaming lists, else by `resourceVersion`.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
 */
export class Reflector<T> {
  readonly #options: ReflectorOptions
  readonly #handler: ReflectorHandler<T>
  readonly #collection: Collection<T>
  readonly #done: Promise<void>
  /** Ends the request under way. */
  #abort = new AbortController()
  #closed = false
  #selection: Selection
  /** The selection of the last list. */
  #listed: Selection | undefined
  #listedAt = 0
  /** Where the next watch begins; `undefined` when a list has to come first. */
  #version: string | undefined
  /** The newest version that was seen: no list may be older. */
  #newest: string | undefined
  /** The server did not have {@link #newest}: the next list is the state of now. */
  #distrusts = false
  /** What is being done, for messages. */
  #verb: 'list' | 'watch' = 'list'
  #useful = false
  #disordered = false

  constructor(options: ReflectorOptions, selection: Selection, handler: ReflectorHandler<T>) {
    this.#options = options
    this.#selection = selection
    this.#handler = handler
    this.#collection = new Collection(object => handler.read(object), handler.changed)
    this.#done = this.#run()
  }

  /** Follows another part from now on. What is known stays until the new part has been listed. */
  select(selection: Selection): void {
    const before = this.#selection
    this.#selection = selection
    if (before.labelSelector !== selection.labelSelector) {
      this.#version = undefined
      this.#abort.abort()
    } else if (this.#listed?.labelSelector === selection.labelSelector) {
      this.#listed = selection
      this.#handler.covers(selection)
    }
  }

  /** Ends the watch; settles when nothing of it is left. */
  close(): Promise<void> {
    this.#closed = true
    this.#abort.abort()
    return this.#done
  }

  async #run(): Promise<void> {
    let failures = 0
    let repeats = 0
    let throttledAt: number | undefined
    /** The beginning of a watch was refused: a list says which right is missing. */
    let listsFirst = false
    while (!this.#closed) {
      this.#abort = new AbortController()
      const { signal } = this.#abort
      let lastError: unknown
      try {
        const begins = this.#version === undefined || this.#isOld()
        const streams = begins && !listsFirst && this.#options.server.streamsLists
        this.#verb = begins ? 'list' : 'watch'
        if (begins && !streams) await this.#list(signal)
        await this.#watch(signal, streams)
        listsFirst = false
        if (signal.aborted) continue
        throttledAt = undefined
        if (this.#disordered) this.#version = undefined
        failures = this.#useful ? 0 : failures + 1
        if (this.#useful) repeats = 0
        if (failures > 1) this.#handler.lost(new ApiError(0, 'the server ends each watch at once'), this.#verb)
      } catch (error) {
        if (this.#closed) return
        if (this.#useful) {
          failures = 0
          repeats = 0
        }
        this.#useful = false
        // Another part is wanted.
        if (signal.aborted) continue
        if (error instanceof NoStreamingLists) {
          this.#options.server.streamsLists = false
          continue
        }
        if (isRefused(error) && this.#verb === 'list' && !listsFirst) {
          listsFirst = true
          continue
        }
        // A version that expired once is ordinary; one that keeps expiring is a failure like others.
        if ((isExpired(error) || isTooLarge(error)) && repeats < MAX_REPEATS) {
          repeats++
          // The first list may be one of the known version: the watch cache can have what the history of the server has not.
          if (this.#version === undefined) this.#distrusts = true
          this.#version = undefined
          continue
        }
        failures++
        if (isThrottled(error)) {
          // The server is there, and the version holds: the watch is opened again from it, later. A list would cost more.
          if (this.#version !== undefined) this.#listedAt = performance.now()
          if (this.#useful) throttledAt = undefined
          throttledAt ??= performance.now()
          // After this long a watch that says nothing is taken for lost, too.
          const silent = performance.now() - throttledAt
          if (this.#listed === undefined || silent > this.#options.idleTimeoutMs) this.#handler.lost(error, this.#verb)
          await this.#pause(failures, error)
          continue
        }
        throttledAt = undefined
        if (isExpired(error) || isTooLarge(error)) this.#distrusts = true
        // A server that cannot be reached says nothing about the version; all processes listing at its return would.
        const refusesVersion = error instanceof ApiError && error.status > 0 && failures >= RELIST_AFTER
        if (isExpired(error) || isNonsense(error) || refusesVersion) this.#version = undefined
        // A single lost connection is no news, unless nothing was ever known.
        if (failures > 1 || this.#listed === undefined || isRefused(error)) this.#handler.lost(error, this.#verb)
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
    // Another selection does not shorten it.
    if (this.#abort.signal.aborted) this.#abort = new AbortController()
    const until = performance.now() + ms
    for (let left = ms; left > 0 && !this.#closed; left = until - performance.now()) {
      await sleep(left, undefined, { signal: this.#abort.signal }).catch(() => {})
      if (!this.#closed && this.#abort.signal.aborted) this.#abort = new AbortController()
    }
  }

  /** Spread over a fifth of the interval, and only looked at when a watch ends anyway. */
  #isOld(): boolean {
    const { relistMs, random } = this.#options
    return relistMs > 0 && performance.now() - this.#listedAt > relistMs * (0.8 + random() / 5)
  }

  /** Until it has ended the version that was known stays: when the list fails, the watch goes on from there. */
  async #list(signal: AbortSignal): Promise<void> {
    const { client, path, metadataOnly } = this.#options
    const selection = this.#selection
    const list = this.#collection.fill()
    const version = await listCollection({
      client,
      path,
      metadataOnly,
      labelSelector: selection.labelSelector,
      version: this.#distrusts ? '' : (this.#newest ?? '0'),
      signal,
      onItem: object => this.#collection.add(list, object),
      onRestart: () => {
        list.entries.clear()
        list.values.clear()
      },
    })
    if (version === undefined || version === '') throw new TypeError('a list without resourceVersion')
    signal.throwIfAborted()
    this.#replace(list, version, selection)
  }

  #replace(list: Filling<T>, version: string, selection: Selection): void {
    this.#collection.replace(list)
    this.#version = version
    this.#newest = version
    this.#distrusts = false
    this.#listedAt = performance.now()
    this.#disordered = false
    this.#verb = 'watch'
    // The same part may have become enough for more services meanwhile.
    this.#listed = selection.labelSelector === this.#selection.labelSelector ? this.#selection : selection
    this.#handler.replaced(list.values, this.#listed)
  }

  /** @param streams - the watch begins with a list */
  async #watch(signal: AbortSignal, streams: boolean): Promise<void> {
    const { client, path, metadataOnly, idleTimeoutMs, requestTimeoutMs, random } = this.#options
    const selection = this.#selection
    const opened = performance.now()
    this.#useful = false
    let list = streams ? this.#collection.fill() : undefined
    const from = !streams ? (this.#version ?? '') : this.#distrusts ? '' : (this.#newest ?? '')
    try {
      await client.watch({
        path,
        query: {
          ...(selection.labelSelector !== undefined && { labelSelector: selection.labelSelector }),
          watch: 'true',
          allowWatchBookmarks: 'true',
          ...(streams && { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }),
          ...(from !== '' && { resourceVersion: from }),
          // Spread, so that watches opened together do not end together.
          timeoutSeconds: String(240 + Math.floor(random() * 60)),
        },
        accept: metadataOnly ? METADATA_EVENTS : WHOLE,
        signal,
        // A server that ignores `sendInitialEvents` never says that the list is complete.
        idleTimeoutMs: () => (list === undefined ? idleTimeoutMs : requestTimeoutMs),
        onIdle: () => (list === undefined ? undefined : new NoStreamingLists()),
        onOpen: () => {
          if (!streams) this.#handler.live()
        },
        onLine: line => {
          // Another part is wanted: this one must not move the version on.
          if (signal.aborted) return
          const event = JSON.parse(line) as WatchEvent
          if (list === undefined) this.#event(event)
          else if (takeListed(this.#collection, list, event)) {
            this.#replace(list, event.object?.metadata?.resourceVersion ?? '', selection)
            list = undefined
            this.#useful = true
            this.#handler.live()
          }
        },
      })
    } catch (error) {
      throw streams && list !== undefined && isUnsupported(error) ? new NoStreamingLists() : error
    }
    if (list === undefined && performance.now() - opened >= GOOD_WATCH_MS) this.#useful = true
  }

  #event({ type, object = {} }: WatchEvent): void {
    if (type === 'ERROR') throw statusError(500, object, 'the watch ended')
    this.#advance(type === 'BOOKMARK' ? object.metadata?.resourceVersion : this.#collection.apply(type, object))
  }

  #advance(version: string | undefined): void {
    this.#useful = true
    if (version === undefined || version === '') return
    // A proper server sends events in order. After one that does not, resuming could skip something: list again.
    if (this.#version !== undefined && isOlder(version, this.#version)) this.#disordered = true
    else {
      this.#version = version
      this.#newest = version
    }
  }
}

function isNonsense(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError
}
