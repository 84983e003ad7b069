/** What is needed of amqplib, amqp-connection-manager and their callers, structurally. */

/** A message that was received. */
export interface AmqpMessage {
  readonly content: Buffer
  fields: { deliveryTag: number; redelivered: boolean; exchange: string; routingKey: string }
  properties: { headers?: Record<string, unknown> | undefined; expiration?: unknown; userId?: unknown } & Record<
    string,
    unknown
  >
}

export type OnMessage = (message: any) => unknown

/** Options of `publish` and `consume`. */
export type AmqpOptions = Record<PropertyKey, unknown> & { headers?: Record<string, unknown> }

/** Of a channel with promises. */
export interface AmqpChannel {
  readonly connection?: object
  publish(exchange: string, routingKey: string, content: Buffer, options?: any, done?: any): unknown
  sendToQueue(queue: string, content: Buffer, options?: any, done?: any): unknown
  consume(queue: string, onMessage: OnMessage, options?: any, done?: any): any
  cancel(consumerTag: string): any
  ack(message: any, allUpTo?: boolean): unknown
  nack(message: any, allUpTo?: boolean, requeue?: boolean): unknown
  on(event: string, listener: (...args: any[]) => void): unknown
}

/** What `consume` of a channel was before. */
export type Consume = AmqpChannel['consume']

/** A channel that Laneway opens for itself. */
export interface HelperChannel {
  on(event: string, listener: (...args: any[]) => void): unknown
  once(event: string, listener: (...args: any[]) => void): unknown
  open(): Promise<unknown>
  close(): Promise<unknown>
  rpc(method: number, fields: object, expected: number): Promise<unknown>
  assertQueue(queue: string, options: object): Promise<{ consumerCount: number; messageCount: number }>
  checkQueue(queue: string): Promise<{ consumerCount: number; messageCount: number }>
  assertExchange(exchange: string, type: string, options: object): Promise<unknown>
  bindQueue(queue: string, exchange: string, pattern: string): Promise<unknown>
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: object,
    done?: (error: unknown) => void,
  ): boolean
  setOptions?(options: undefined): void
  waitForConfirms?: unknown
  pushConfirmCallback(done: (error: unknown) => void): void
}
