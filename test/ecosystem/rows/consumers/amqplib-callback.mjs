import { consumerRows } from '../../shapes/consumer.mjs'

export default consumerRows({
  library: 'amqplib',
  full: true,
  use: 'a consumer of the callback interface',
  needs: ['rabbitmq'],
  async open({ require, resources }, consume, name) {
    const { connect } = require('amqplib/callback_api')
    const result = start =>
      new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))))
    const connection = await result(done => connect(resources.rabbitmq.url, done))
    const channel = await result(done => connection.createChannel(done))
    await result(done => channel.assertQueue(name, { autoDelete: true }, done))
    const got = message => consume(String(message.content))
    await result(done => channel.consume(name, got, { noAck: true }, done))
    const close = () => result(done => connection.close(done))
    return { send: message => channel.sendToQueue(name, Buffer.from(message)), close }
  },
})
