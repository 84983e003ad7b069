import './node-version.js'

// For users
export type { RegisterOptions } from './config/config.js'
export type { RegisterHealth } from './lifecycle/health.js'
export type { RegistrationHealth } from './lifecycle/membership.js'
export { health, shutdown, useLogger } from './shutdown.js'
