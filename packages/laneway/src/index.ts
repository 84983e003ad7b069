// For users

export type { LaneRow } from '@laneway/discovery/internal'
export { runCommand } from './command.js'
export { type DoctorReport, runDoctor } from './doctor/doctor.js'
export type { Finding } from './doctor/finding.js'
export type { CommandWorld } from './terminal/world.js'
