// Servers and clients of nice-grpc: no code of Laneway in them, unless interceptors and a factory of channels are given.
const { createChannel, createClient, createServer, ServerError, Status } = require('nice-grpc')
const { ChannelCredentials } = require('@grpc/grpc-js')
const { ECHO: PLAIN, channelOptions } = require('./grpc-js.cjs')

/** Messages of nice-grpc are objects. */
const serialize = ({ value }) => Buffer.from(value)
const deserialize = bytes => ({ value: bytes.toString() })
const own = {
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
}
const ECHO = Object.fromEntries(Object.entries(PLAIN).map(([name, method]) => [name, { ...method, ...own }]))

async function* each(requests, one) {
  for await (const { value } of requests) yield { value: await one(value) }
}

const unary =
  handle =>
  async ({ value }, context) => {
    try {
      return { value: await handle(value, { get: key => context.metadata.getAll(key) }) }
    } catch (error) {
      throw new ServerError(Status.UNAVAILABLE, error.message)
    }
  }

async function serve(port, handlers, interceptors) {
  const server = createServer(interceptors === undefined ? {} : { interceptors })
  server.add(ECHO, {
    unary: unary(handlers.unary),
    flaky: unary(handlers.flaky),
    hedged: unary(handlers.hedged),
    collect: async requests => {
      const parts = []
      for await (const { value } of requests) parts.push(handlers.one(value))
      return { value: await handlers.collected(parts) }
    },
    list: ({ value }) => of(handlers.list(value)),
    chat: requests => each(requests, handlers.one),
  })
  await server.listen(`127.0.0.1:${port}`)
}

async function* of(texts) {
  for await (const value of texts) yield { value }
}

async function all(parts, now) {
  const seen = []
  for await (const { value } of parts) seen.push(`${now()}<${value}`)
  return seen
}

function connect(target, fresh, lanes) {
  const makeChannel = lanes?.channelFactoryOverride ?? createChannel
  const channel = makeChannel(target, ChannelCredentials.createInsecure(), channelOptions(fresh))
  const client = createClient(ECHO, channel)
  return {
    unary: async value => (await client.unary({ value })).value,
    flaky: async value => (await client.flaky({ value })).value,
    hedged: async value => (await client.hedged({ value })).value,
    collect: async texts => (await client.collect(of(texts))).value,
    list: (value, now) => all(client.list({ value }), now),
    chat: (texts, now) => all(client.chat(of(texts)), now),
    close: () => channel.close(),
  }
}

module.exports = { ECHO, serve, connect }
