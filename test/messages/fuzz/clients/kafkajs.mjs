export async function open(load, { name, handle }) {
  const { Kafka, logLevel } = await load('kafkajs')
  const { laneKafka } = await load('@laneway/kafka')
  const { eachInLane, messageLane } = await load('@laneway/messaging')
  const config = { brokers: [process.env.KAFKA_BROKER], logLevel: logLevel.NOTHING }
  const kafka = laneKafka(new Kafka(config))
  const plain = new Kafka(config).producer()
  const producer = kafka.producer()
  const transactional = kafka.producer({ transactionalId: name, idempotent: true, maxInFlightRequests: 1 })
  await Promise.all([plain, producer, transactional].map(each => each.connect()))
  await producer.send({ topic: name, messages: [{ value: '0' }] })
  const transaction = await transactional.transaction()
  const message = (id, headers) => ({ value: `${id}`, ...(headers && { headers }) })
  const handled = (consumer, { value, headers }) =>
    `${value}` === '0' || handle(consumer, Number(value), messageLane({ headers })?.header)
  const consume = async (consumer, config) => {
    const one = kafka.consumer({ groupId: `${name}-${consumer}` })
    await one.connect()
    await one.subscribe({ topic: name, fromBeginning: true })
    await one.run(config)
  }
  await consume('eachMessage', { eachMessage: ({ message }) => handled('eachMessage', message) })
  await consume('eachBatch', { eachBatch: batch => eachInLane(batch, message => handled('eachBatch', message)) })
  const record = (id, headers) => ({ topic: name, messages: [message(id, headers)] })
  return {
    consumers: ['eachMessage', 'eachBatch'],
    takes: ['text', 'long', 'bytes', 'list'],
    ways: {
      send: (id, headers) => producer.send(record(id, headers)),
      sendBatch: (id, headers) => producer.sendBatch({ topicMessages: [record(id, headers)] }),
      transaction: (id, headers) => transaction.send(record(id, headers)),
      transactionBatch: (id, headers) => transaction.sendBatch({ topicMessages: [record(id, headers)] }),
    },
    foreign: (id, headers) => plain.send(record(id, headers)),
    flush: () => transaction.commit(),
  }
}
