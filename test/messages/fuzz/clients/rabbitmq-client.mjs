export async function open(load, { name, handle }) {
  const { Connection } = await load('rabbitmq-client')
  const { laneRabbit } = await load('@laneway/amqp')
  const { messageLane } = await load('@laneway/messaging')
  const connection = laneRabbit(new Connection(process.env.AMQP_URL))
  const plain = new Connection(process.env.AMQP_URL).createPublisher({ confirm: true })
  const consumer = connection.createConsumer(
    { queue: name, queueOptions: { durable: false }, qos: { prefetchCount: 20 } },
    message => handle('consumer', Number(message.body), messageLane(message)?.header),
  )
  consumer.on('error', () => {})
  await new Promise(ready => consumer.once('ready', ready))
  const publisher = connection.createPublisher({ confirm: true })
  const channel = await connection.acquire()
  return {
    consumers: ['consumer'],
    // It sends bytes in a header as a table, and refuses headers larger than a frame.
    takes: ['text', 'list', 'any'],
    ways: {
      send: (id, headers) => publisher.send(headers === undefined ? name : { routingKey: name, headers }, `${id}`),
      channel: (id, headers) => channel.basicPublish({ routingKey: name, ...(headers && { headers }) }, `${id}`),
    },
    foreign: (id, headers) => plain.send({ routingKey: name, headers }, `${id}`),
  }
}
