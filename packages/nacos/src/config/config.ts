import { LanewayError } from '@laneway/core'
import { describe } from '@laneway/core/internal'
import { callListener } from '../connection/call-listener.js'
import type { Connection, ConnectionUser } from '../connection/connection.js'
import { Redo } from '../connection/redo.js'
import type { Session } from '../connection/session.js'
import type { Message } from '../wire/transport.js'
import { type ConfigKey, type ConfigPlace, idOf, resolveConfigKey, tenantOf } from './config-key.js'
import { CONFIG_NOT_FOUND, CONFIG_QUERY_ANSWERS, type ConfigValue, readWhenStill } from './config-value.js'

/** Options of {@link NacosConfig.publish}. */
export interface ConfigPublishOptions extends ConfigPlace {
  /** Shown by the console: `json`, `text`, `yaml`, `properties`, `xml`, `html`. @default 'text' */
  type?: string
  /**
   * Publish only while the content has this md5 (see {@link ConfigValue.md5}). Not sent twice, so that a lost
   * connection is an error. Nacos 2.2 and r-nacos ignore it.
   */
  casMd5?: string
}

/** Receives the reports of {@link NacosConfig.listen}. */
export interface ConfigListener {
  /** The content first, then each change. `undefined`: there is no such configuration. */
  value(value: ConfigValue | undefined): void
  /** The configuration is not kept up to date at the moment. May be called repeatedly. */
  lost(error: LanewayError): void
}

interface Watched {
  readonly key: ConfigKey
  readonly listeners: Set<ConfigListener>
  /** What was reported last; `undefined` before the first answer. */
  reported: { value: ConfigValue | undefined } | undefined
  /** A push came: the content is read again, whatever md5 the server shows. */
  pushed: boolean
  /** It is compared again without a push: what is new was not pushed. */
  rechecking: boolean
  /** Reads once more after a push that seemed to change nothing. */
  again: NodeJS.Timeout | undefined
}

/**
 * A server stores a content first, and shows it to readers and in its comparison of md5 a moment later. After a push
 * that seems to change nothing, the client reads again after these times.
 */
const LOOK_AGAIN_MS = [200, 1_000, 3_000]
/** A content that changes faster than it can be read waits for the next attempt. */
const MAX_ROUNDS = 5

/** The configuration half of a client. */
export class NacosConfig implements ConnectionUser {
  readonly #connection: Connection
  readonly #redo: Redo
  readonly #watched = new Map<string, Watched>()

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
    this.#redo = new Redo(connection)
    connection.use(this)
  }

  /**
   * Reads a configuration. Right after a publication the server may still give the old one.
   *
   * @returns `undefined` when there is none
   * @throws LanewayError `LANEWAY_NACOS_UNAVAILABLE`, `LANEWAY_NACOS_REFUSED`, `LANEWAY_AUTH`, `LANEWAY_CLOSED`,
   *   `LANEWAY_INVALID_OPTION`
   */
  async get(dataId: string, place: ConfigPlace = {}): Promise<ConfigValue | undefined> {
    const key = this.#key('get', dataId, place)
    const expected = CONFIG_QUERY_ANSWERS
    return await readWhenStill(key, () =>
      this.#connection.request('ConfigQueryRequest', 'config', { ...key }, { expected }),
    )
  }

  /**
   * Creates or replaces a configuration.
   *
   * @throws LanewayError as {@link get}; `LANEWAY_NACOS_REFUSED` also when `casMd5` does not fit
   */
  async publish(dataId: string, content: string, options: ConfigPublishOptions = {}): Promise<void> {
    const { type = 'text', casMd5, ...place } = options
    const key = this.#key('publish', dataId, place)
    if (typeof content !== 'string' || content === '') {
      throw new LanewayError(
        'LANEWAY_INVALID_OPTION',
        `publish: content must be a string with something in it, received ${describe(content)}`,
      )
    }
    const body = { ...key, content, additionMap: { type }, ...(casMd5 !== undefined && { casMd5 }) }
    await this.#connection.request('ConfigPublishRequest', 'config', body, { once: casMd5 !== undefined })
  }

  /**
   * Removes a configuration; one that does not exist is removed already.
   *
   * @throws LanewayError as {@link get}
   */
  async remove(dataId: string, place: ConfigPlace = {}): Promise<void> {
    const key = this.#key('remove', dataId, place)
    await this.#connection.request('ConfigRemoveRequest', 'config', { ...key }, { expected: [CONFIG_NOT_FOUND] })
  }

  /**
   * Follows a configuration. The listener receives the present content, or `undefined` where there is none, and then each
   * change. Fast changes may be reported as one; the last one is always reported. All listeners of one configuration share
   * one listener at the server.
   *
   * @returns stops the listener
   * @throws LanewayError `LANEWAY_INVALID_OPTION` for a name that cannot be a dataId
   */
  listen(dataId: string, place: ConfigPlace, listener: ConfigListener): () => void {
    const key = this.#key('listen', dataId, place)
    const id = idOf(key)
    const { warn } = this.#connection.options
    const own: ConfigListener = {
      value: value => callListener(warn, () => listener.value(value)),
      lost: error => callListener(warn, () => listener.lost(error)),
    }
    let watched = this.#watched.get(id)
    if (watched === undefined) {
      watched = { key, listeners: new Set(), reported: undefined, pushed: false, rechecking: false, again: undefined }
      this.#watched.set(id, watched)
      this.#follow(id, watched)
    } else if (watched.reported !== undefined) {
      own.value(watched.reported.value)
    }
    watched.listeners.add(own)
    this.#connection.start()
    const { listeners } = watched
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return
      if (this.#watched.get(id)?.listeners === listeners) {
        this.#watched.delete(id)
        this.#connection.rechecks.remove(`config ${id}`)
      }
      clearTimeout(watched.again)
      void this.#redo.drop(id)
    }
  }

  /** @internal */
  close(): void {
    for (const { again } of this.#watched.values()) clearTimeout(again)
    this.#watched.clear()
    this.#redo.clear()
  }

  /** @internal */
  up(_session: Session): Promise<void> {
    return this.#redo.up()
  }

  /** @internal */
  down(error: LanewayError): void {
    for (const { listeners } of this.#watched.values()) for (const listener of [...listeners]) listener.lost(error)
  }

  /** @internal */
  push({ type, body }: Message): void {
    if (type !== 'ConfigChangeNotifyRequest') return
    this.#connection.rechecks.heard()
    // For the default namespace Java servers leave the tenant out, r-nacos sends "", and one that knows another name for
    // it may send that.
    const tenant = String(body['tenant'] ?? '')
    const [dataId, group] = [String(body['dataId']), String(body['group'])]
    for (const id of new Set([tenant, tenantOf(tenant)].map(one => idOf({ dataId, group, tenant: one })))) {
      const watched = this.#watched.get(id)
      if (watched === undefined) continue
      watched.pushed = true
      this.#redo.touch(id)
    }
  }

  #follow(id: string, watched: Watched): void {
    this.#connection.rechecks.add(`config ${id}`, () => {
      watched.rechecking = true
      this.#redo.touch(id)
    })
    this.#redo.want(id, {
      apply: session => this.#sync(session, watched),
      undo: async session => {
        await this.#listenOn(session, watched, false)
      },
      failed: error => {
        for (const listener of [...watched.listeners]) listener.lost(error)
      },
    })
  }

  /** Reads until the server confirms that the listeners have the newest content. From then on it pushes each change. */
  async #sync(session: Session, watched: Watched): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { pushed, rechecking } = watched
      watched.pushed = false
      watched.rechecking = false
      const changed = await this.#listenOn(session, watched, true)
      if (watched.reported !== undefined && !changed && !pushed) return
      if (rechecking && changed && !pushed) this.#connection.rechecks.found()
      const headers: Record<string, string> = pushed ? { notify: 'true' } : {}
      const extras = { expected: CONFIG_QUERY_ANSWERS, headers }
      const value = await readWhenStill(watched.key, () =>
        this.#connection.requestOn(session, 'ConfigQueryRequest', 'config', { ...watched.key }, extras),
      )
      if (session !== this.#connection.session) return
      const isNew = this.#report(watched, value)
      if (pushed && !isNew) this.#lookAgain(watched, 0)
    }
  }

  #lookAgain(watched: Watched, turn: number): void {
    clearTimeout(watched.again)
    const delayMs = LOOK_AGAIN_MS[turn]
    if (delayMs === undefined || watched.listeners.size === 0) return
    watched.again = setTimeout(() => {
      this.#redo.touch(idOf(watched.key))
      this.#lookAgain(watched, turn + 1)
    }, delayMs).unref()
  }

  #report(watched: Watched, value: ConfigValue | undefined): boolean {
    if (watched.reported !== undefined && watched.reported.value?.md5 === value?.md5) return false
    watched.reported = { value }
    for (const listener of [...watched.listeners]) listener.value(value)
    return true
  }

  /** @returns whether the server has another content than the listeners know */
  async #listenOn(session: Session, watched: Watched, listen: boolean): Promise<boolean> {
    const md5 = watched.reported?.value?.md5 ?? ''
    const body = { listen, configListenContexts: [{ ...watched.key, md5 }] }
    const answer = await this.#connection.requestOn(session, 'ConfigBatchListenRequest', 'config', body)
    const changed = answer.body['changedConfigs']
    return Array.isArray(changed) && changed.length > 0
  }

  #key(where: string, dataId: string, place: ConfigPlace): ConfigKey {
    return resolveConfigKey(`config.${where}`, dataId, place, this.#connection.options.namespace)
  }
}
