import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'kafkajs',
  use: 'eachMessage and eachBatch',
  full: true,
  needs: ['kafka'],
  forms: ['message', 'batch'],
  async open({ require, resources }, consume, name) {
    const { Kafka, logLevel } = require('kafkajs')
    const kafka = new Kafka({ clientId: name, brokers: [resources.kafka.address], logLevel: logLevel.NOTHING })
    const [admin, producer] = [kafka.admin(), kafka.producer()]
    const [one, many] = ['one', 'many'].map(group => kafka.consumer({ groupId: `${name}-${group}` }))
    await Promise.all([admin, producer, one, many].map(client => client.connect()))
    await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true })
    for (const consumer of [one, many]) await consumer.subscribe({ topic: name, fromBeginning: true })
    await one.run({ eachMessage: async ({ message }) => void (await consume(String(message.value))) })
    await many.run({
      async eachBatch({ batch }) {
        for (const { value } of batch.messages) await consume(String(value), 'batch')
      },
    })
    const send = value => producer.send({ topic: name, messages: [{ value }] })
    const close = () => Promise.all([one, many, producer, admin].map(client => client.disconnect()))
    return { send, close }
  },
})
