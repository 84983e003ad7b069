/** What is needed of rocketmq-client-nodejs, structurally. */

/** A message, produced or received. */
export interface RocketmqMessage {
  readonly topic?: unknown
  readonly properties?: Map<string, string>
}

export type Method = (this: any, ...args: any[]) => any

/** A producer or a consumer. */
export type Methods = Record<string, Method | undefined>
