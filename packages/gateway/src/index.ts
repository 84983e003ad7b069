export type { DiscoveryConfig, GatewayConfig, RulesConfig, TlsConfig } from './config/config.js'
export { type CheckedConfig, checkGatewayConfig, type GatewayExplanation } from './config/explain-config.js'
export { createGateway, type Gateway, type GatewayUpdate } from './create-gateway.js'
export type {
  ClientOptions,
  DrainOptions,
  GatewayOptions,
  ListenerOptions,
  UpstreamOptions,
} from './gateway-options.js'
export type { AccessLogEntry, LogDestination } from './observe/access-log.js'
export type { ServiceOf } from './route/backend.js'
export type { GatewayRoute, PathTest } from './route/gateway-route.js'
export type { Rules } from './route/routing.js'
export { type StartedGateway, type StartGatewayOptions, startGateway } from './start-gateway.js'
