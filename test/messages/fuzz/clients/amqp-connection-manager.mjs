export async function open(load, { name, handle }) {
  const module = await load('amqp-connection-manager')
  const { laneAmqp } = await load('@laneway/amqp')
  const { messageLane } = await load('@laneway/messaging')
  const connection = laneAmqp((module.default ?? module).connect([process.env.AMQP_URL]))
  const wrapper = connection.createChannel({
    setup: async channel => {
      await channel.assertQueue(name)
      await channel.consume(name, message => handle('setup', Number(message.content), messageLane(message)?.header), {
        noAck: true,
      })
    },
  })
  const body = id => Buffer.from(`${id}`)
  // Not connected yet: what is published first waits in its buffer.
  return {
    consumers: ['setup'],
    takes: [],
    ways: {
      publish: (id, headers) => wrapper.publish('', name, body(id), { headers }),
      sendToQueue: (id, headers) => wrapper.sendToQueue(name, body(id), headers && { headers }),
    },
  }
}
