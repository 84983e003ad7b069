export type { DialectName } from './dialect.js'
export { DevServerError, type DevServerErrorCode } from './error.js'
export type { FaultScope } from './fault-rules.js'
export type { NacosFaults, StalePush, Undo } from './faults.js'
export type { NacosDevServerOptions, TracedMessage } from './options.js'
export type { Side } from './port-pair.js'
export { createNacosDevServer, type NacosDevServer } from './server.js'
export type {
  ConfigListenerView,
  ConfigView,
  InstanceView,
  Introspection,
  SessionView,
  SubscriptionView,
} from './views.js'
