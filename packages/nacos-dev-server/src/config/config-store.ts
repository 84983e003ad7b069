import { createHash } from 'node:crypto'
import type { Dialect } from '../dialect.js'

/** What names a config. */
export interface ConfigName {
  readonly dataId: string
  readonly group: string
  readonly tenant: string
}

/** A published config. */
export interface Config extends ConfigName {
  readonly content: string
  readonly contentType: string
  /** Lower-case hexadecimal, of the UTF-8 content. */
  readonly md5: string
  readonly lastModified: number
}

/** A connection that wants to hear of a config, with the tenant in the spelling in which it asked. */
export interface ConfigListener {
  readonly connectionId: string
  readonly tenant: string
}

/** Configs and who listens to them. Holds no timers and sends nothing. */
export class ConfigStore {
  readonly #configs = new Map<string, Config>()
  /** Gray contents, by config and tag. */
  readonly #gray = new Map<string, Map<string, Config>>()
  readonly #listeners = new Map<string, { name: ConfigName; tenants: Map<string, string> }>()

  constructor(
    private readonly dialect: Dialect,
    private readonly now: () => number,
  ) {}

  /** @param tag - of the connection that asks: it gets the gray content of this tag, where there is one */
  get(name: ConfigName, tag = ''): Config | undefined {
    const key = this.keyOf(name)
    return this.#gray.get(key)?.get(tag) ?? this.#configs.get(key)
  }

  /** Says whether the content differs from what was there. @param tag - of a gray content; `''` for that of everybody */
  set(name: ConfigName, content: string, contentType: string, tag = ''): boolean {
    const key = this.keyOf(name)
    const md5 = createHash('md5').update(content).digest('hex')
    const [contents, under] = tag === '' ? [this.#configs, key] : [this.#gray.get(key) ?? new Map(), tag]
    if (tag !== '') this.#gray.set(key, contents)
    const hasChanged = contents.get(under)?.md5 !== md5
    contents.set(under, { ...name, content, contentType, md5, lastModified: this.now() })
    return hasChanged
  }

  /** Says whether it was there. */
  remove(name: ConfigName, tag = ''): boolean {
    const key = this.keyOf(name)
    return tag === '' ? this.#configs.delete(key) : this.#gray.get(key)?.delete(tag) === true
  }

  listen(connectionId: string, name: ConfigName): void {
    const key = this.keyOf(name)
    let entry = this.#listeners.get(key)
    if (entry === undefined) {
      entry = { name, tenants: new Map() }
      this.#listeners.set(key, entry)
    }
    entry.tenants.set(connectionId, name.tenant)
  }

  unlisten(connectionId: string, name: ConfigName): void {
    this.#listeners.get(this.keyOf(name))?.tenants.delete(connectionId)
  }

  listenersOf(name: ConfigName): readonly ConfigListener[] {
    const tenants = this.#listeners.get(this.keyOf(name))?.tenants ?? []
    return [...tenants].map(([connectionId, tenant]) => ({ connectionId, tenant }))
  }

  dropConnection(connectionId: string): void {
    for (const { tenants } of this.#listeners.values()) tenants.delete(connectionId)
  }

  allConfigs(): readonly Config[] {
    return [...this.#configs.values()]
  }

  allListeners(): readonly (ConfigName & { connectionId: string })[] {
    return [...this.#listeners.values()].flatMap(({ name, tenants }) =>
      [...tenants].map(([connectionId, tenant]) => ({ connectionId, dataId: name.dataId, group: name.group, tenant })),
    )
  }

  clear(): void {
    this.#configs.clear()
    this.#gray.clear()
  }

  /** One string per config. Whether the tenants `public` and `""` are one depends on the release. */
  keyOf({ dataId, group, tenant }: ConfigName): string {
    return JSON.stringify([this.dialect.publicTenantIsEmpty && tenant === 'public' ? '' : tenant, group, dataId])
  }
}
