// For users
export { createNacosClient, type NacosClient } from './client.js'
export type { ConfigListener, ConfigPublishOptions, NacosConfig } from './config/config.js'
export type { ConfigPlace } from './config/config-key.js'
export type { ConfigValue } from './config/config-value.js'
export type { NacosClientOptions, NacosRequest } from './connection/options.js'
export { type FollowConfigOptions, type FollowedConfig, followConfig } from './follow-config.js'
export { laneMetadata } from './lane-metadata.js'
export { type NacosRules, type NacosRulesOptions, nacosRules } from './nacos-rules.js'
export type { NacosNaming, NamingListener } from './naming/naming.js'
export type { InstanceInput } from './naming/registrations.js'
export type { NacosInstance, ServiceInfo } from './naming/service-info.js'
export type { ServiceRef } from './naming/service-ref.js'
export { type RegisterInstanceOptions, type Registration, registerInstance } from './register-instance.js'
export {
  type ForeignInstance,
  type FromNacosClientOptions,
  fromNacosClient,
  type NacosPackageClient,
  type NacosRustClient,
} from './source/from-nacos-client.js'
export { createNacosSource, type NacosSourceOptions } from './source/source.js'
