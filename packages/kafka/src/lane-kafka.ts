import { LanewayError } from '@laneway/core'
import { describe, isDisabled } from '@laneway/core/internal'
import { claim } from './claim.js'
import { divideConsumerOptions, type LaneConsumerSettings } from './isolation/isolate-options.js'
import { SharedLedger } from './isolation/ledger-use.js'
import type { KafkajsClient, Method, Methods } from './kafka.js'
import { tagKafkajsConsumer } from './kafkajs/consumer.js'
import { createIsolatedConsumer } from './kafkajs/isolated-consumer.js'
import { connectKafkajs } from './kafkajs/kafkajs-broker.js'
import { tagKafkajsProducer } from './kafkajs/producer.js'
import { type KafkaSettings, type LaneKafkaOptions, resolveKafkaOptions } from './lane-kafka-options.js'
import { tagConsumer } from './platformatic/consumer.js'
import { tagProducer } from './platformatic/producer.js'
import { tagStream } from './platformatic/stream.js'

/**
 * Gives lanes to a client of Kafka. What is produced carries the lane of the code that produces it; each message is
 * handled in its lane, none included.
 *
 * Takes a `Kafka` of kafkajs, for the producers and consumers that it makes from now on; a producer, a transaction or a
 * consumer of kafkajs; a `Producer`, a `Consumer` or a stream of messages of `@platformatic/kafka`. What is given is
 * changed and returned, so it stays what it is to everybody else. A second call changes nothing.
 *
 * Under `LANEWAY_DISABLE` with `all` or `kafkajs` nothing is changed.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function laneKafka<T extends object>(target: T, options: LaneKafkaOptions = {}): T {
  if (!isDisabled(['kafkajs'])) giveLanes(target as Methods, resolveKafkaOptions(options))
  return target
}

/** What {@link laneKafka} does, once the options are read. */
export function giveLanes(target: Methods, settings: KafkaSettings): void {
  const give = wayFor(target)
  if (claim(target)) give(target, settings)
}

/** By what they can do: two copies of a client have two classes. */
function wayFor(target: Methods): (target: Methods, settings: KafkaSettings) => void {
  const can = (...names: string[]) => names.every(name => typeof target?.[name] === 'function')
  if (can('producer', 'consumer')) return tagClient
  if (can('run', 'subscribe')) return tagKafkajsConsumer
  if (can('send', 'sendBatch')) return tagKafkajsProducer
  if (can('send', 'initIdempotentProducer')) return tagProducer
  if (can('consume')) return tagConsumer
  if (can('push', 'emit') && 'offsetsToFetch' in target) return tagStream
  throw new LanewayError(
    'LANEWAY_INVALID_OPTION',
    `laneKafka takes a client, a producer or a consumer of kafkajs or @platformatic/kafka, received ${describe(target)}`,
  )
}

function tagClient(client: Methods, settings: KafkaSettings): void {
  const { producer, consumer } = client as { producer: Method; consumer: Method }
  const plain: KafkajsClient = {
    admin: () => client['admin']!(),
    producer: options => producer.call(client, options),
    consumer: options => consumer.call(client, options),
  }
  const ledger = new SharedLedger(() => connectKafkajs(plain), settings.warn)
  Object.assign(client, {
    producer(...args: unknown[]) {
      const made = producer.apply(client, args)
      giveLanes(made, settings)
      return made
    },
    consumer(options?: object, ...args: unknown[]) {
      const { wanted, rest } = divideConsumerOptions('consumer', options)
      if (!isolates(wanted, rest, settings)) {
        const made = consumer.call(client, options === undefined ? options : rest, ...args)
        giveLanes(made, settings)
        return made
      }
      const make = (config: object) => plain.consumer(config)
      const made = createIsolatedConsumer({ make, config: rest, wanted, settings, ledger: ledger.use() })
      claim(made)
      return made
    },
  })
}

/** Whether a consumer keeps lanes apart: its program says so, or `LANEWAY_ISOLATE` names its group. */
function isolates(
  wanted: LaneConsumerSettings,
  { groupId }: Record<string, unknown>,
  { isolates }: KafkaSettings,
): boolean {
  return wanted.lanes === 'isolate' || (wanted.lanes === undefined && isolates?.(String(groupId)) === true)
}
