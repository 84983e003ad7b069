export { laneAmqp } from './lane-amqp.js'
export type { LaneAmqpOptions, LaneConsumeOptions } from './lane-amqp-options.js'
