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
      const isolated = wanted.lanes === 'isolate' || isIsolatedByPreload(wanted, rest, settings)
      if (isolated) {
        try {
          const make = (config: object) => plain.consumer(config)
          const made = createIsolatedConsumer({ make, config: rest, wanted, settings, ledger: ledger.use() })
          claim(made)
          return made
        } catch (error) {
          if (wanted.lanes === 'isolate') throw error
          // Its program did not ask for it.
          settings.warn(
            `kafka: "${rest['groupId']}" is not isolated, its messages only carry their lanes: ${(error as Error).message}`,
          )
        }
      }
      const made = consumer.call(client, options === undefined ? options : rest, ...args)
      giveLanes(made, settings)
      return made
    },
  })
}

/** Whether `LANEWAY_ISOLATE` names the group of a consumer that says nothing of lanes. */
function isIsolatedByPreload(
  { lanes }: LaneConsumerSettings,
  { groupId }: Record<string, unknown>,
  { isolates }: KafkaSettings,
): boolean {
  return lanes === undefined && isolates?.(String(groupId)) === true
}
