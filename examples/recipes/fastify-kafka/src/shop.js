// Takes orders and produces a message for each.
import fastify from 'fastify'
import { Kafka, logLevel } from 'kafkajs'

const kafka = new Kafka({ brokers: [process.env.KAFKA], logLevel: logLevel.NOTHING })
const producer = kafka.producer()
await producer.connect()

const app = fastify()
app.post('/orders/:id', async request => {
  await producer.send({ topic: process.env.TOPIC, messages: [{ value: request.params.id }] })
  return 'sent'
})
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening on ${app.server.address().port}`)
