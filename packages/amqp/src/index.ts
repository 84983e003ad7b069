export { laneAmqp } from './lane-amqp.js'
export type { LaneAmqpOptions, LaneConsumeOptions } from './lane-amqp-options.js'
export { laneRabbit } from './lane-rabbit.js'
