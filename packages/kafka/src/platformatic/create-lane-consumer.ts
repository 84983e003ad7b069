import { bindLane, LanewayError, runInLane } from '@laneway/core'
import { describe, isDisabled } from '@laneway/core/internal'
import { claim } from '../claim.js'
import { groupNames } from '../isolation/group-names.js'
import { divideConsumerOptions, type LaneConsumerOptions } from '../isolation/isolate-options.js'
import { SharedLedger } from '../isolation/ledger-use.js'
import type { Method, Methods } from '../kafka.js'
import { type LaneKafkaOptions, resolveKafkaOptions } from '../lane-kafka-options.js'
import type { PlatformaticClasses, PlatformaticConsumer } from './classes.js'
import { tagConsumer } from './consumer.js'
import { IsolatedStreams } from './isolated-streams.js'
import { connectPlatformatic } from './platformatic-broker.js'

/** What {@link createLaneConsumer} takes besides the options of the client's `Consumer`. */
export interface CreateLaneConsumerOptions<C = object> extends LaneKafkaOptions, LaneConsumerOptions {
  /** The classes of your client: `import { Admin, Consumer, Producer } from '@platformatic/kafka'`. */
  platformatic: PlatformaticClasses<C>
}

const WHERE = 'createLaneConsumer'

/**
 * Creates a `Consumer` of `@platformatic/kafka` that delivers each message in its lane. With `lanes: 'isolate'` exactly one
 * side handles each message; in an instance of a lane the consumer is in the group of the lane (`orders_gray`), and `consume`
 * resolves once the lane has been announced.
 *
 * Under `LANEWAY_DISABLE` with `all` or `kafkajs` it is the consumer of the client, without isolation.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, `LANEWAY_INVALID_TAG`
 */
export function createLaneConsumer<C extends object>(
  options: CreateLaneConsumerOptions<C> & Record<string, unknown>,
): C {
  const { platformatic: classes, trust, propagate, header, tag, warn, ...others } = options
  if (['Admin', 'Consumer', 'Producer'].some(name => typeof Object(classes)[name] !== 'function')) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${WHERE}: platformatic holds classes of your client, received ${describe(classes)}; import { Admin, Consumer, ` +
        "Producer } from '@platformatic/kafka' and give { platformatic: { Admin, Consumer, Producer } }",
    )
  }
  const { wanted, rest } = divideConsumerOptions(WHERE, others)
  if (isDisabled(['kafkajs'])) return new classes.Consumer(rest)
  const given = Object.entries({ trust, propagate, header, tag, warn }).filter(([, value]) => value !== undefined)
  const settings = resolveKafkaOptions(Object.fromEntries(given))
  if (wanted.lanes !== 'isolate') {
    const consumer = new classes.Consumer(rest)
    if (claim(consumer)) tagConsumer(consumer as Methods, settings)
    return consumer
  }
  if (rest['groupProtocol'] === 'consumer' && settings.lanes.own !== undefined && !wanted.assumeBase) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `${WHERE}: groupProtocol is 'consumer', where members of base cannot say that they keep lanes apart; when all ` +
        "instances of base have lanes: 'isolate', give assumeBase: true",
    )
  }
  const names = groupNames(WHERE, rest['groupId'], wanted)
  const ledger = new SharedLedger(async () => connectPlatformatic(classes, connectionOf(rest)), settings.warn).use()
  const make = (config: object) => new (classes as PlatformaticClasses<PlatformaticConsumer>).Consumer(config)
  const streams = new IsolatedStreams({ make, options: rest, names, wanted, settings, ledger })
  return withStreams(streams.consumer, streams) as unknown as C
}

function withStreams(consumer: PlatformaticConsumer, streams: IsolatedStreams): PlatformaticConsumer {
  claim(consumer)
  return Object.assign(consumer, {
    // The loops that fetch begin here: they belong to no request.
    consume: (options: Record<string, unknown>, done?: Method) =>
      answered(
        runInLane(undefined, () => streams.consume(options)),
        done,
      ),
    close(force?: boolean | Method, done?: Method) {
      if (typeof force === 'function') return answered(streams.close(false), force)
      return answered(streams.close(force ?? false), done)
    },
  })
}

function answered(answer: Promise<unknown>, done: Method | undefined): unknown {
  if (done === undefined) return answer
  const bound = bindLane(done)
  answer.then(
    value => bound(null, value),
    error => bound(error),
  )
  return undefined
}

/** What the other clients get: where the brokers are, nothing of groups and streams. */
function connectionOf(options: Record<string, unknown>): Record<string, unknown> {
  const { groupId, groupInstanceId, groupProtocol, groupRemoteAssignor, protocols, partitionAssigner, ...others } =
    options
  const { deserializers, registry, beforeDeserialization, autocommit, context, streamContext, metrics, ...rest } =
    others
  return rest
}
