import { bothWays } from '../../shapes/query.mjs'

/** The promise interface: answers and confirms of one channel. */
export default bothWays({
  library: 'amqplib',
  full: true,
  use: 'calls of a channel',
  needs: ['rabbitmq'],
  async open({ require, resources }) {
    const connection = await require('amqplib').connect(resources.rabbitmq.url)
    return { connections: await connection.createConfirmChannel(), close: () => connection.close() }
  },
  forms: {
    confirm(channel, number, done) {
      channel.publish('', 'nowhere', Buffer.from(`${number}`), {}, error => done(error, number))
    },
    async promise(channel, number) {
      const { messageCount } = await channel.assertQueue(`ecosystem-p-${process.pid}-${number}`, { autoDelete: true })
      return messageCount
    },
  },
})
