import type { KafkaMessage } from '../kafka.js'

/** A message of a stream. */
export interface StreamMessage extends KafkaMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: unknown
  readonly value: unknown
  commit(...args: unknown[]): unknown
}

/** A stream of messages. */
export interface MessageStream {
  on(event: string, listener: (message: StreamMessage) => void): this
  once(event: string, listener: (value: unknown) => void): this
  push(message: StreamMessage | null): boolean
  read(size?: number): StreamMessage | null
  emit(event: string, ...args: unknown[]): boolean
  pause(): this
  resume(): this
  _read(size?: number): void
  close(): Promise<void>
  readonly destroyed: boolean
}

export interface PlatformaticConsumer {
  readonly assignments: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null
  isActive(): boolean
  on(event: string, listener: (event: unknown) => void): unknown
  consume(options: Record<string, unknown>): Promise<MessageStream>
  close(force?: boolean): Promise<void>
  listCommittedOffsets(options: object): Promise<Map<string, bigint[]>>
}

interface PlatformaticAdmin {
  metadata(options: { topics: string[] }): Promise<{ topics: Map<string, { partitionsCount: number }> }>
  listTopics(): Promise<string[]>
  createTopics(options: object): Promise<unknown>
  describeGroups(options: {
    groups: string[]
  }): Promise<Map<string, { state: string; members: Map<string, { metadata?: { metadata?: unknown } }> }>>
  listGroups(options: { types: string[] }): Promise<Map<string, { state: string; groupType?: string }>>
  listConsumerGroupOffsets(
    options: object,
  ): Promise<{ topics: { name: string; partitions: { partitionIndex: number; committedOffset: bigint }[] }[] }[]>
  listOffsets(options: object): Promise<{ name: string; partitions: { partitionIndex: number; offset: bigint }[] }[]>
  close(): Promise<void>
}

/** The classes of `@platformatic/kafka`: `import { Admin, Consumer, Producer } from '@platformatic/kafka'`. */
export interface PlatformaticClasses<C = any> {
  readonly Admin: new (options: any) => PlatformaticAdmin
  readonly Consumer: new (options: any) => C
  readonly Producer: new (options: any) => { send(options: object): Promise<unknown>; close(): Promise<void> }
}
