import { groupOfDelivery } from '../isolation/delivery.js'
import type { KafkaMessage, Methods } from '../kafka.js'
import type { KafkaSettings } from '../lane-kafka-options.js'

interface TopicMessages {
  readonly topic: string
  readonly messages: readonly KafkaMessage[]
}

/** Makes what a producer of kafkajs sends carry the lane of the code that sends it, in transactions, too. */
export function tagKafkajsProducer(producer: Methods, settings: KafkaSettings): void {
  const { lanes } = settings
  const { send, sendBatch, transaction } = producer
  const tagged = <T extends TopicMessages>(record: T): T => {
    if (!Array.isArray(record?.messages)) return record
    return { ...record, messages: record.messages.map(message => taggedMessage(message, record.topic)) }
  }
  const taggedMessage = (message: KafkaMessage, topic: string): KafkaMessage => {
    const before = message?.headers
    const headers = lanes.tagged(topic, before as never)
    return headers === before ? message : { ...message, headers }
  }
  Object.assign(producer, {
    send: (record: TopicMessages) => send!.call(producer, tagged(record)),
    sendBatch(batch: { readonly topicMessages?: readonly TopicMessages[] }) {
      const { topicMessages } = batch ?? {}
      if (!Array.isArray(topicMessages)) return sendBatch!.call(producer, batch)
      return sendBatch!.call(producer, { ...batch, topicMessages: topicMessages.map(tagged) })
    },
  })
  if (transaction === undefined) return
  Object.assign(producer, {
    async transaction(...args: unknown[]) {
      const begun = await transaction.apply(producer, args)
      tagKafkajsProducer(begun, settings)
      const { sendOffsets } = begun
      return Object.assign(begun, {
        sendOffsets({ consumerGroupId, ...offsets }: { consumerGroupId: string }) {
          return sendOffsets.call(begun, { ...offsets, consumerGroupId: groupOfDelivery(consumerGroupId) })
        },
      })
    },
  })
}
