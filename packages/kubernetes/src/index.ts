// For users
export type { KubernetesSourceOptions } from './options.js'
export { createKubernetesSource, type KubernetesSource } from './source.js'

// For the other @laneway packages
