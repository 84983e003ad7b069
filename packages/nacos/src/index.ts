// For users
export { createNacosClient, type NacosClient } from './client.js'
export type { ConfigListener, ConfigPublishOptions, NacosConfig } from './config.js'
export type { ConfigPlace } from './config-key.js'
export type { ConfigValue } from './config-value.js'
export {
  type ForeignInstance,
  type FromNacosClientOptions,
  fromNacosClient,
  type NacosPackageClient,
  type NacosRustClient,
} from './from-nacos-client.js'
export { laneMetadata } from './lane-metadata.js'
export { type NacosRules, type NacosRulesOptions, nacosRules } from './nacos-rules.js'
export type { NacosNaming, NamingListener } from './naming.js'
export type { NacosClientOptions, NacosRequest } from './options.js'
export { type RegisterInstanceOptions, type Registration, registerInstance } from './register-instance.js'
export type { InstanceInput } from './registrations.js'
export type { NacosInstance, ServiceInfo } from './service-info.js'
export type { ServiceRef } from './service-ref.js'
export { createNacosSource, type NacosSourceOptions } from './source.js'
