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
