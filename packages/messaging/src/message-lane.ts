import { type Lane, parseLane, runInLane } from '@laneway/core'
import { isOff } from '@laneway/core/internal'
import { carriedText } from './carried-text.js'
import { ownHeader } from './tagged-headers.js'

/** The carriers of the clients that Laneway knows: the places where a received message has its headers. */
interface CarryingMessage {
  /** kafkajs, `@platformatic/kafka`, rabbitmq-client, NATS. */
  readonly headers?: unknown
  /** amqplib has `headers` in here; RocketMQ's properties are a Map. */
  readonly properties?: unknown
  /** BullMQ: the job's options. */
  readonly opts?: unknown
  /** What an `eachMessage` of kafkajs is given. */
  readonly message?: unknown
}

/**
 * The lane of a received message of kafkajs, `@platformatic/kafka`, amqplib, rabbitmq-client, BullMQ, RocketMQ or NATS;
 * `undefined` for none, and while Laneway is switched off. Behind a facade of Laneway refused values are removed, so this is what
 * was accepted. Never throws.
 *
 * @param header - the name that carries the lane; of several, the first that is there. @default 'x-mse-tag'
 */
export function messageLane(message: unknown, header: string | readonly string[] = 'x-mse-tag'): Lane | undefined {
  if (isOff()) return undefined
  try {
    if (typeof header === 'string') return parseLane(carriedText(carrierValue(message, header)))
    for (const name of header) {
      const text = carriedText(carrierValue(message, name))
      if (text !== undefined) return parseLane(text)
    }
    return undefined
  } catch {
    // A message with a getter that throws.
    return undefined
  }
}

function carrierValue(message: unknown, header: string): unknown {
  if (typeof message !== 'object' || message === null) return undefined
  const { headers, properties, opts, message: inner } = message as CarryingMessage
  if (headers !== undefined && headers !== null) return inHeaders(headers, header)
  if (properties instanceof Map) return ownHeader(properties, header)
  if (typeof properties === 'object' && properties !== null) {
    return ownHeader((properties as CarryingMessage).headers, header)
  }
  if (typeof opts === 'object' && opts !== null) return ownHeader(opts, header)
  return typeof inner === 'object' ? carrierValue(inner, header) : undefined
}

function inHeaders(headers: object, header: string): unknown {
  const { values } = headers as { values?: unknown }
  // NATS: `values` gives all lines of a name. A Map has a method of that name, too.
  return typeof values === 'function' && !(headers instanceof Map)
    ? values.call(headers, header)
    : ownHeader(headers, header)
}

/** A batch of messages: a list, or what an `eachBatch` of kafkajs is given. */
export type MessageBatch<M> =
  | Iterable<M>
  | { readonly messages: Iterable<M> }
  | { readonly batch: { readonly messages: Iterable<M> } }

/**
 * Handles the messages of a batch one after another, each in its lane; one without a lane runs in none, wherever this is
 * called from. Of a stream, such as one of `@platformatic/kafka` or a subscription of NATS, it handles each as it comes.
 *
 * @returns what `fn` returned for each; nothing for a stream, once that has ended
 * @throws what `fn` throws; the messages behind that one are not handled
 */
export async function eachInLane<M, R>(
  batch: MessageBatch<M>,
  fn: (message: M) => R | Promise<R>,
  header?: string | readonly string[],
): Promise<R[]>
export async function eachInLane<M>(
  stream: AsyncIterable<M>,
  fn: (message: M) => unknown,
  header?: string | readonly string[],
): Promise<undefined>
export async function eachInLane<M, R>(
  batch: MessageBatch<M> | AsyncIterable<M>,
  fn: (message: M) => R | Promise<R>,
  header: string | readonly string[] = 'x-mse-tag',
): Promise<R[] | undefined> {
  if (Symbol.asyncIterator in batch) {
    for await (const message of batch) await runInLane(messageLane(message, header), fn, message)
    return undefined
  }
  const results: R[] = []
  for (const message of messagesOf(batch)) {
    results.push(await runInLane(messageLane(message, header), fn, message))
  }
  return results
}

function messagesOf<M>(batch: MessageBatch<M>): Iterable<M> {
  if (Symbol.iterator in batch) return batch
  return 'batch' in batch ? batch.batch.messages : batch.messages
}
