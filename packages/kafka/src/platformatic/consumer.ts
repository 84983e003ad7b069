import { bindLane, runInLane } from '@laneway/core'
import { warnOfNoIsolation } from '@laneway/messaging/internal'
import { claim } from '../claim.js'
import type { Method, Methods } from '../kafka.js'
import { type KafkaSettings, refuseIsolation } from '../lane-kafka-options.js'
import { tagStream } from './stream.js'

/** Makes the streams of a consumer of `@platformatic/kafka` deliver each message in its lane. */
export function tagConsumer(consumer: Methods, settings: KafkaSettings): void {
  const { consume } = consumer
  const withLanes = (stream: Methods | undefined) => {
    if (stream !== undefined && claim(stream)) tagStream(stream, settings)
    return stream
  }
  Object.assign(consumer, {
    consume(options: unknown, done?: Method) {
      refuseIsolation(options)
      const group = String(consumer['groupId' as never])
      if (settings.isolates?.(group)) warnOfNoIsolation('kafka', group, settings.warn)
      const called = done && bindLane((error: unknown, stream?: Methods) => done(error, withLanes(stream)))
      // The loop that fetches begins here: it belongs to no request.
      const consuming = runInLane(undefined, () => consume!.call(consumer, options, called))
      return consuming?.then(withLanes)
    },
  })
}
