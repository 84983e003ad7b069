/** What is needed of kafkajs and `@platformatic/kafka`, structurally. */

/** A message of either client, produced or received. */
export interface KafkaMessage {
  readonly headers?: unknown
  /** kafkajs says it beside the message. */
  readonly topic?: unknown
}

export type Method = (this: any, ...args: any[]) => any

/** Any object of either client. */
export type Methods = Record<string, Method | undefined>

/** A consumer of kafkajs, as far as isolation uses it. */
export interface KafkajsConsumer {
  readonly events: { readonly GROUP_JOIN: string; readonly CRASH: string }
  connect(): Promise<void>
  disconnect(): Promise<void>
  stop(): Promise<void>
  subscribe(subscription: Record<string, unknown>): Promise<void>
  run(config: Record<string, unknown>): Promise<void>
  seek(place: { topic: string; partition: number; offset: string }): void
  pause(topics: readonly TopicPartitions[]): void
  resume(topics: readonly TopicPartitions[]): void
  commitOffsets(offsets: readonly unknown[]): Promise<void>
  on(event: string, listener: (event: { payload: any }) => void): () => void
}

export interface TopicPartitions {
  readonly topic: string
  readonly partitions?: readonly number[]
}

/** A message as kafkajs delivers it. */
export interface KafkajsMessage extends KafkaMessage {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly offset: string
}

interface KafkajsAdmin {
  connect(): Promise<void>
  disconnect(): Promise<void>
  listTopics(): Promise<string[]>
  createTopics(options: object): Promise<boolean>
  describeGroups(
    groups: readonly string[],
  ): Promise<{ groups: { groupId: string; state: string; members: { memberMetadata: Buffer }[] }[] }>
  listGroups(): Promise<{ groups: { groupId: string }[] }>
  fetchOffsets(options: {
    groupId: string
    topics: readonly string[]
  }): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>
  fetchTopicOffsets(topic: string): Promise<{ partition: number; low: string; high: string }[]>
}

interface KafkajsProducer {
  connect(): Promise<void>
  disconnect(): Promise<void>
  send(record: object): Promise<unknown>
}

/** A client of kafkajs, as it was before it had lanes. */
export interface KafkajsClient {
  admin(): KafkajsAdmin
  producer(options: object): KafkajsProducer
  consumer(options: object): KafkajsConsumer
}
