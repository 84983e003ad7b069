export type { LaneConsumerOptions } from './isolation/isolate-options.js'
export { laneKafka } from './lane-kafka.js'
export type { LaneKafkaOptions } from './lane-kafka-options.js'
export { type CreateLaneConsumerOptions, createLaneConsumer } from './platformatic/create-lane-consumer.js'
