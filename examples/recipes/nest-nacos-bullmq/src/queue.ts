import { type Processor, Queue, Worker } from 'bullmq'

const { REDIS_HOST: host = '127.0.0.1', REDIS_PORT: port = '6379', QUEUE: name = 'mail' } = process.env
const connection = { host, port: Number(port), maxRetriesPerRequest: null }

export const createQueue = () => new Queue(name, { connection })
export const createWorker = (processor: Processor) => new Worker(name, processor, { connection })
