// For users
export { runCommand } from './command.js'
export { type DoctorReport, runDoctor } from './doctor/doctor.js'
export type { Finding } from './doctor/finding.js'
export type { LaneRow } from './registry/lane-rows.js'
export type { CommandWorld } from './terminal/world.js'
