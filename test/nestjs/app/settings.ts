import { createFileSource, createLaneResolver } from '@laneway/discovery'

import { laneKafkaTransport } from '@laneway/nestjs/kafka'
import { laneRmqTransport } from '@laneway/nestjs/rmq'
import { ClientKafka, ClientRMQ, ServerKafka, ServerRMQ } from '@nestjs/microservices'

const { ENDPOINTS, AMQP_URL = 'amqp://127.0.0.1:1', QUEUE_NAME = 'orders', KAFKA_BROKER, ISOLATE } = process.env

export const resolver =
  ENDPOINTS === undefined
    ? undefined
    : createLaneResolver({ sources: [createFileSource(ENDPOINTS)], services: ['sc-b'] })

const QUEUE = { urls: [AMQP_URL], queue: QUEUE_NAME, queueOptions: { durable: false } }

/** Topics of Kafka; to RabbitMQ they are patterns in one queue. */
export const ORDER = `${QUEUE_NAME}-order`
export const PAID = `${QUEUE_NAME}-paid`

const KAFKA = { client: { brokers: [KAFKA_BROKER ?? ''], clientId: QUEUE_NAME, logLevel: 1 } }
/** The same in base and in lanes; replies are never kept apart. */
const consumer = { groupId: QUEUE_NAME, ...(ISOLATE !== undefined && { lanes: 'isolate', sessionTimeout: 6000 }) }

export const createClient = () =>
  KAFKA_BROKER === undefined
    ? laneRmqTransport(new ClientRMQ({ ...QUEUE }))
    : laneKafkaTransport(new ClientKafka({ ...KAFKA, consumer: { groupId: QUEUE_NAME } }))

/** Nothing where no broker is. */
export const createServer = () => {
  if (KAFKA_BROKER !== undefined) return laneKafkaTransport(new ServerKafka({ ...KAFKA, consumer }))
  return process.env['AMQP_URL'] === undefined ? undefined : laneRmqTransport(new ServerRMQ(QUEUE))
}
