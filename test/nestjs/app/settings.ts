import { createFileSource, createLaneResolver } from '@laneway/discovery'

const { ENDPOINTS, AMQP_URL = 'amqp://127.0.0.1:1', QUEUE_NAME = 'orders' } = process.env

export const resolver =
  ENDPOINTS === undefined
    ? undefined
    : createLaneResolver({ sources: [createFileSource(ENDPOINTS)], services: ['sc-b'] })

export const QUEUE = { urls: [AMQP_URL], queue: QUEUE_NAME, queueOptions: { durable: false } }
