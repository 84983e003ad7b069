/** What is needed of rocketmq-client-nodejs, structurally. */

/** A message, produced or received. */
export interface RocketmqMessage {
  readonly topic?: unknown
  readonly properties?: Map<string, string>
}

export type Method = (this: any, ...args: any[]) => any

/** A producer or a consumer. */
export type Methods = Record<string, Method | undefined>

/** A message as a consumer of Laneway hands it to its handler: the client's `MessageView`. */
export interface ReceivedMessage {
  readonly topic: string
  readonly messageId: string
  readonly body: Buffer
  readonly properties: Map<string, string>
  readonly bornTimestamp?: Date | undefined
  /** Of a FIFO topic: its messages have an order. */
  readonly messageGroup?: string | undefined
  readonly deliveryAttempt?: number | undefined
  /** By which the broker knows who took the message. The client changes it when the message is renewed. */
  receiptHandle?: string
}

export interface SimpleConsumer {
  startup(): Promise<unknown>
  shutdown(): Promise<unknown>
  receive(most?: number, invisibleMs?: number): Promise<ReceivedMessage[]>
  ack(message: any): Promise<unknown>
  changeInvisibleDuration(message: any, invisibleMs: number): Promise<unknown>
  getTotalRouteEndpoints?(): Iterable<unknown>
  telemetry?(endpoints: unknown, command: unknown): void
  settingsCommand?(): unknown
}

/** The classes of rocketmq-client-nodejs that isolation uses. */
export interface RocketmqClasses {
  readonly SimpleConsumer: new (options: any) => SimpleConsumer
  readonly FilterExpression: new (expression: string, type?: any) => unknown
}
