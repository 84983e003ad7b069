export type { KubernetesSourceOptions } from './options.js'
export { createKubernetesSource, type KubernetesSource } from './source.js'
