// For users
export { createNacosClient, type NacosClient } from './client.js'
export type { InstanceInput, NacosNaming, NamingListener, ServiceRef } from './naming.js'
export type { NacosClientOptions, NacosRequest } from './options.js'
export type { NacosInstance, ServiceInfo } from './service-info.js'

// For the other @laneway packages
