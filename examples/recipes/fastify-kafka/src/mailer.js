// Consumes the orders, and asks the service stock about each.
import { Kafka, logLevel } from 'kafkajs'

const kafka = new Kafka({ brokers: [process.env.KAFKA], logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: process.env.TOPIC })
await consumer.connect()
await consumer.subscribe({ topic: process.env.TOPIC, fromBeginning: true })
consumer.on(consumer.events.GROUP_JOIN, () => console.log('listening to orders'))
await consumer.run({
  eachMessage: async ({ message }) => {
    const answer = await fetch('http://stock/')
    console.log(`order ${message.value}: ${await answer.text()}`)
  },
})
