import type { ConfigStore } from './config/config-store.js'
import type { NamingStore } from './naming/naming-store.js'
import type { SessionTable } from './session/session-table.js'

/** A connection, as tests see it. */
export interface SessionView {
  readonly connectionId: string
  readonly clientIp: string
  readonly clientVersion: string
  readonly tenant: string
  readonly labels: Readonly<Record<string, string>>
  /** Whether requests are served on it. */
  readonly registered: boolean
  /** Whether pushes reach it. */
  readonly streaming: boolean
}

/** One service that a connection is subscribed to. */
export interface SubscriptionView {
  readonly connectionId: string
  readonly namespace: string
  readonly group: string
  readonly service: string
}

/** One registered instance. */
export interface InstanceView {
  /** Undefined for an instance that outlives its connection. */
  readonly connectionId: string | undefined
  readonly namespace: string
  readonly group: string
  readonly service: string
  readonly ip: string
  readonly port: number
  readonly weight: number
  readonly healthy: boolean
  readonly enabled: boolean
  readonly clusterName: string
  readonly metadata: Readonly<Record<string, string>>
}

/** One published config. */
export interface ConfigView {
  readonly dataId: string
  readonly group: string
  readonly tenant: string
  readonly content: string
  readonly contentType: string
  readonly md5: string
}

/** One config that a connection listens to. */
export interface ConfigListenerView {
  readonly connectionId: string
  readonly dataId: string
  readonly group: string
  readonly tenant: string
}

/** What the server holds at this moment, as plain copies. */
export interface Introspection {
  /** Connections, set up or not. */
  sessions(): readonly SessionView[]
  subscriptions(): readonly SubscriptionView[]
  /** What is registered, disabled instances included, without an operator's edits; of one service or of all. */
  instances(service?: string): readonly InstanceView[]
  configs(): readonly ConfigView[]
  configListeners(): readonly ConfigListenerView[]
}

export function createIntrospection(table: SessionTable, naming: NamingStore, config: ConfigStore): Introspection {
  return {
    sessions: () =>
      table.all().map(session => ({
        connectionId: session.id,
        clientIp: session.clientIp,
        clientVersion: session.setup?.clientVersion ?? '',
        tenant: session.setup?.tenant ?? '',
        labels: { ...session.setup?.labels },
        registered: session.registered,
        streaming: session.streaming,
      })),
    subscriptions: () =>
      naming.allServices().flatMap(name => naming.subscribersOf(name).map(connectionId => ({ connectionId, ...name }))),
    instances: service =>
      naming
        .publications()
        .filter(({ name }) => service === undefined || name.service === service)
        .map(({ name, connectionId, instance }) => ({
          connectionId,
          ...name,
          ip: instance.ip,
          port: instance.port,
          weight: instance.weight,
          healthy: instance.healthy,
          enabled: instance.enabled,
          clusterName: instance.clusterName,
          metadata: { ...instance.metadata },
        })),
    configs: () =>
      config.allConfigs().map(({ dataId, group, tenant, content, contentType, md5 }) => ({
        dataId,
        group,
        tenant,
        content,
        contentType,
        md5,
      })),
    configListeners: () => config.allListeners(),
  }
}
