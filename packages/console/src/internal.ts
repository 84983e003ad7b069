// For the other @laneway packages. Nothing here is public: any release may change it.

export { type KafkaAdmin, type KafkaClient, openKafka } from './kafka/client.js'
export { type LaneGroups, laneGroups } from './kafka/lane-groups.js'
export { LEDGER_TOPIC, type Ledger, readLedger } from './kafka/read-ledger.js'
