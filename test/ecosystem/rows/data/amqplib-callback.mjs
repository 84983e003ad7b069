import { bothWays } from '../../shapes/query.mjs'

/** The callback interface: confirms and answers of one channel. */
export default bothWays({
  library: 'amqplib',
  full: true,
  use: 'calls of a channel',
  needs: ['rabbitmq'],
  async open({ require, resources }) {
    const { connect } = require('amqplib/callback_api')
    const connection = await new Promise((resolve, reject) => {
      connect(resources.rabbitmq.url, (error, opened) => (error ? reject(error) : resolve(opened)))
    })
    const channel = await new Promise((resolve, reject) => {
      connection.createConfirmChannel((error, opened) => (error ? reject(error) : resolve(opened)))
    })
    return { connections: channel, close: () => new Promise(resolve => connection.close(resolve)) }
  },
  forms: {
    callback(channel, number, done) {
      channel.assertQueue(`ecosystem-${process.pid}-${number}`, { autoDelete: true }, (error, ok) => {
        done(error, ok?.messageCount)
      })
    },
    confirm(channel, number, done) {
      channel.publish('', 'nowhere', Buffer.from(`${number}`), {}, error => done(error, number))
    },
  },
})
