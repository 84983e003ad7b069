import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'amqplib',
  full: true,
  use: 'a consumer, with prefetch',
  needs: ['rabbitmq'],
  async open({ require, resources }, consume, name) {
    const connection = await require('amqplib').connect(resources.rabbitmq.url)
    const channel = await connection.createChannel()
    await channel.assertQueue(name, { autoDelete: true })
    await channel.prefetch(5)
    await channel.consume(name, async message => {
      await consume(String(message.content))
      channel.ack(message)
    })
    return { send: message => channel.sendToQueue(name, Buffer.from(message)), close: () => connection.close() }
  },
})
