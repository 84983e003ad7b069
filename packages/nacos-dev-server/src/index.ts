export type { DialectName } from './dialect.js'
export { DevServerError, type DevServerErrorCode } from './error.js'
export type { FaultScope } from './faults/fault-rules.js'
export type { NacosFaults, StalePush, Undo } from './faults/faults.js'
export type {
  ConfigListenerView,
  ConfigView,
  InstanceView,
  Introspection,
  SessionView,
  SubscriptionView,
} from './introspection.js'
export type { NacosDevServerOptions, TracedMessage } from './options.js'
export { createNacosDevServer, type NacosDevServer } from './server.js'
export type { Side } from './transport/port-pair.js'
