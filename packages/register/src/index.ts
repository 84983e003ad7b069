import './node-version.js'

// For users
export type { RegisterOptions } from './config.js'
export { shutdown } from './shutdown.js'
