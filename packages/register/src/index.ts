import './node-version.js'

// For users
export type { RegisterOptions } from './config.js'
export type { RegisterHealth } from './health.js'
export type { RegistrationHealth } from './membership.js'
export { health, shutdown, useLogger } from './shutdown.js'
