import { LanewayError } from '@laneway/core'
import { callback, emitLanewayWarning, type OptionTable, readOptions, text, unchecked } from '@laneway/core/internal'
import type { NacosClient } from './client.js'
import { SnapshotStore } from './snapshot-store.js'

/** Options of {@link followConfig}. */
export interface FollowConfigOptions<T> {
  /** @default 'DEFAULT_GROUP' */
  group?: string
  /** @default the client's */
  namespace?: string
  /** Turns the content into the value; throws when it cannot be used. @default the value is the text itself */
  parse?: (content: string) => T
  /** Called with each valid content, also the first; with `undefined` when the configuration was removed. */
  onChange?: (value: T | undefined) => void
  /** Content that cannot be used, or Nacos lost; the last good value stays. @default a process warning */
  onError?: (error: LanewayError) => void
  /** A folder for the last good content, used when Nacos cannot be reached at the start. @default none */
  snapshotDir?: string
}

/** A configuration that is kept up to date. */
export interface FollowedConfig<T> {
  /** The last good value; `undefined` before the first, and when there is no such configuration. */
  readonly current: T | undefined
  /** Nacos is lost, or what it has cannot be used: `current` may be old. */
  readonly stale: boolean
  /** Resolves with the first answer: a value, its absence, content that cannot be used, or a snapshot from the disk. */
  readonly ready: Promise<void>
  /** Stops following. Idempotent. */
  close(): void
}

const OPTIONS = {
  group: text(undefined),
  namespace: unchecked<string>(),
  parse: callback<(content: string) => unknown>(),
  onChange: callback<(value: never) => void>(),
  onError: callback<(error: LanewayError) => void>(),
  snapshotDir: text(undefined),
} satisfies OptionTable<FollowConfigOptions<unknown>>

/**
 * Follows a configuration and keeps the last good value: content that `parse` refuses is reported and changes nothing.
 * Removing the configuration is a change, to `undefined`.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function followConfig<T = string>(
  client: NacosClient,
  dataId: string,
  options: FollowConfigOptions<T> = {},
): FollowedConfig<T> {
  const read = readOptions('followConfig', options, OPTIONS)
  const { group, namespace, snapshotDir } = read
  const onChange = read.onChange as FollowConfigOptions<T>['onChange']
  const parse = (read.parse ?? (content => content)) as (content: string) => T
  const onError = read.onError ?? (error => emitLanewayWarning(error.message))
  const place = { ...(group !== undefined && { group }), ...(namespace !== undefined && { namespace }) }
  const store = snapshotDir === undefined ? undefined : new SnapshotStore<string>(snapshotDir, emitLanewayWarning)
  const key = `config@@${namespace ?? client.namespace}@@${group ?? 'DEFAULT_GROUP'}@@${dataId}`
  let current: T | undefined
  let stale = true
  let answered = false
  let closed = false
  let resolveReady = (): void => {}
  const ready = new Promise<void>(resolve => {
    resolveReady = resolve
  })

  const use = (content: string): boolean => {
    let value: T
    try {
      value = parse(content)
    } catch (cause) {
      const why = (cause as Error).message
      onError(new LanewayError('LANEWAY_SOURCE', `${dataId} is not usable, the last good one stays: ${why}`, { cause }))
      return false
    }
    current = value
    onChange?.(value)
    return true
  }
  const load = async (): Promise<void> => {
    const stored = await store?.load(key)
    if (stored === undefined || answered || closed || typeof stored.value !== 'string') return
    if (use(stored.value)) resolveReady()
  }

  const stop = client.config.listen(dataId, place, {
    value: value => {
      answered = true
      if (value === undefined) {
        current = undefined
        stale = false
        onChange?.(undefined)
      } else {
        stale = !use(value.content)
        if (!stale) store?.save(key, value.content)
      }
      resolveReady()
    },
    lost: error => {
      // Reported once per loss, not once per attempt.
      if (!stale || !answered) onError(error)
      if (!answered) void load()
      stale = true
    },
  })
  return Object.freeze({
    get current() {
      return current
    },
    get stale() {
      return stale
    },
    ready,
    close: () => {
      closed = true
      stop()
    },
  })
}
