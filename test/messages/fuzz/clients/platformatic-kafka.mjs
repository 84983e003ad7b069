export async function open(load, { name, handle }) {
  const { Consumer, Producer, stringSerializers } = await load(process.env.PLATFORMATIC_KAFKA ?? '@platformatic/kafka')
  const { laneKafka } = await load('@laneway/kafka')
  const { eachInLane, messageLane } = await load('@laneway/messaging')
  const base = { clientId: name, bootstrapBrokers: [process.env.KAFKA_BROKER], autocreateTopics: true, retries: 20 }
  const plain = new Producer(base)
  const bytes = laneKafka(new Producer(base))
  const text = laneKafka(new Producer({ ...base, serializers: stringSerializers }))
  const transactional = laneKafka(new Producer({ ...base, idempotent: true, transactionalId: name }))
  await plain.send({ messages: [{ topic: name, value: Buffer.from('0') }] })
  const transaction = await transactional.beginTransaction()
  let last = Promise.resolve()
  const stream = text.asStream({ batchSize: 5, batchTime: 5 })
  const asMap = headers => new Map(Object.entries(headers).map(([key, value]) => [Buffer.from(key), asBytes(value)]))
  const asBytes = value => (typeof value === 'string' ? Buffer.from(value) : value)
  const inBytes = (id, headers) => ({
    topic: name,
    value: Buffer.from(`${id}`),
    ...(headers && { headers: asMap(headers) }),
  })
  const inText = (id, headers) => ({ topic: name, value: `${id}`, ...(headers && { headers }) })
  const handled = (consumer, message) =>
    `${message.value}` === '0' || handle(consumer, Number(message.value), messageLane(message)?.header)
  const consume = async consumer => {
    const one = laneKafka(new Consumer({ ...base, groupId: `${name}-${consumer}` }))
    return one.consume({ topics: [name], mode: 'earliest', sessionTimeout: 10_000 })
  }
  const data = await consume('data')
  data.on('data', message => handled('data', message))
  void eachInLane(await consume('eachInLane'), message => handled('eachInLane', message))
  return {
    consumers: ['data', 'eachInLane'],
    takes: ['text', 'long', 'bytes'],
    ways: {
      bytes: (id, headers) => bytes.send({ messages: [inBytes(id, headers)] }),
      text: (id, headers) => text.send({ messages: [inText(id, headers)] }),
      callback: (id, headers) =>
        new Promise((done, no) =>
          text.send({ messages: [inText(id, headers)] }, error => (error ? no(error) : done())),
        ),
      stream: async (id, headers) => void stream.write(inText(id, headers)),
      // One at a time: the client numbers the messages of an idempotent producer when they are sent.
      transaction: (id, headers) => (last = last.then(() => transaction.send({ messages: [inBytes(id, headers)] }))),
    },
    foreign: (id, headers) => plain.send({ messages: [inBytes(id, headers)] }),
    flush: async () => {
      await stream.close()
      await transaction.commit()
    },
  }
}
