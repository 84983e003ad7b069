export { createLaneConsumer, type LaneConsumer } from './create-lane-consumer.js'
export {
  announceLane,
  createRedisLedger,
  endLane,
  type GroupLane,
  type LaneLedger,
  type LedgerLook,
  type StoredRecord,
} from './isolation/lane-ledger.js'
export type { LaneConsumerOptions } from './lane-consumer-options.js'
export { laneRocketmq } from './lane-rocketmq.js'
export type { LaneRocketmqOptions } from './lane-rocketmq-options.js'
export type { ReceivedMessage, RocketmqClasses } from './rocketmq.js'
