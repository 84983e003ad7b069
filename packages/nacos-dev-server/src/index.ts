export type { DialectName } from './dialect.js'
export { DevServerError, type DevServerErrorCode } from './error.js'
export type { NacosDevServerOptions, TracedMessage } from './options.js'
export {
  createNacosDevServer,
  type InstanceView,
  type NacosDevServer,
  type SessionView,
  type SubscriptionView,
} from './server.js'
