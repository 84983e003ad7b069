// What the command `laneway` shares with a process under this package: how the settings are read, and what is made of them.
// Importing this starts nothing.

export { PARTS, type RegisterConfig, type RegisterOptions, readConfig, variableOf } from './config/config.js'
export type { Field } from './config/fields/field.js'
export { FIELDS } from './config/fields.js'
export { createDiscovery, type Discovery, type Registration } from './discovery/discovery.js'
