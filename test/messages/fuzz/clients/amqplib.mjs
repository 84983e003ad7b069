/** The version by AMQPLIB: amqplib0, amqplib1 or amqplib. */
export async function open(load, { name, handle }) {
  const module = await load(process.env.AMQPLIB ?? 'amqplib')
  const amqp = module.default ?? module
  // Version 0.10 has no exports that name it.
  const ending = process.env.AMQPLIB === 'amqplib0' ? '.js' : ''
  const callbacks = await load(`${process.env.AMQPLIB ?? 'amqplib'}/callback_api${ending}`)
  const { laneAmqp } = await load('@laneway/amqp')
  const { messageLane } = await load('@laneway/messaging')
  const url = process.env.AMQP_URL
  const connection = laneAmqp(await amqp.connect(url))
  const plain = await (await amqp.connect(url)).createChannel()
  const channel = await connection.createChannel()
  const confirms = await connection.createConfirmChannel()
  const called = await new Promise((done, no) =>
    (callbacks.default ?? callbacks).connect(url, (error, made) =>
      error ? no(error) : laneAmqp(made).createConfirmChannel((fault, opened) => (fault ? no(fault) : done(opened))),
    ),
  )
  await channel.assertQueue(name)
  await channel.consume(name, message => handle('consume', Number(message.content), messageLane(message)?.header), {
    noAck: true,
  })
  const body = id => Buffer.from(`${id}`)
  const waiting = (target, id, headers) =>
    new Promise((done, no) =>
      target.publish('', name, body(id), { ...(headers && { headers }) }, error => (error ? no(error) : done())),
    )
  return {
    consumers: ['consume'],
    takes: ['text', 'long', 'bytes', 'list', 'any'],
    ways: {
      publish: (id, headers) => channel.publish('', name, body(id), { headers }),
      sendToQueue: (id, headers) => channel.sendToQueue(name, body(id), headers && { headers }),
      confirm: (id, headers) => waiting(confirms, id, headers),
      callbacks: (id, headers) => waiting(called, id, headers),
    },
    foreign: (id, headers) => plain.sendToQueue(name, body(id), { headers }),
  }
}
