export { laneRocketmq } from './lane-rocketmq.js'
export type { LaneRocketmqOptions } from './lane-rocketmq-options.js'
