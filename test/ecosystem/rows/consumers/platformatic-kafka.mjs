import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: '@platformatic/kafka',
  use: 'a stream of messages',
  full: true,
  needs: ['kafka'],
  async open({ resources }, consume, name) {
    const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = await import('@platformatic/kafka')
    const options = { clientId: name, bootstrapBrokers: [resources.kafka.address] }
    const admin = new Admin(options)
    const producer = new Producer({ ...options, serializers: stringSerializers })
    const consumer = new Consumer({ ...options, groupId: name, deserializers: stringDeserializers })
    await admin.createTopics({ topics: [name], partitions: 1, replicas: 1 })
    const stream = await consumer.consume({ topics: [name], mode: 'earliest', autocommit: true, maxWaitTime: 50 })
    stream.on('data', ({ value }) => consume(value))
    const send = value => producer.send({ messages: [{ topic: name, value }] })
    const close = async () => {
      await consumer.close(true)
      await producer.close()
      await admin.close()
    }
    return { send, close }
  },
})
