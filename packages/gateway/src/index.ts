// For users
export type { AccessLogEntry, LogDestination } from './access-log.js'
export type { DiscoveryConfig, GatewayConfig, RulesConfig, TlsConfig } from './config.js'
export { createGateway, type Gateway, type GatewayUpdate } from './create-gateway.js'
export { type CheckedConfig, checkGatewayConfig, type GatewayExplanation } from './explain-config.js'
export type { GatewayRoute, PathTest } from './gateway-route.js'
export type { ClientOptions, DrainOptions, GatewayOptions, ListenerOptions, UpstreamOptions } from './options.js'
export type { ServiceOf } from './route-table.js'
export type { Rules } from './routing.js'
export { type StartedGateway, type StartGatewayOptions, startGateway } from './start-gateway.js'

// For the other @laneway packages
