// Servers and clients of nice-grpc: no code of Laneway in them.
const { createChannel, createClient, createServer, ServerError, Status } = require('nice-grpc')
const { ChannelCredentials } = require('@grpc/grpc-js')
const { ECHO, channelOptions } = require('./grpc-js.cjs')

async function* each(requests, one) {
  for await (const text of requests) yield await one(text)
}

const unary = handle => async (text, context) => {
  try {
    return await handle(text, { get: key => context.metadata.getAll(key) })
  } catch (error) {
    throw new ServerError(Status.UNAVAILABLE, error.message)
  }
}

async function serve(port, handlers) {
  const server = createServer()
  server.add(ECHO, {
    unary: unary(handlers.unary),
    flaky: unary(handlers.flaky),
    hedged: unary(handlers.hedged),
    collect: async requests => {
      const parts = []
      for await (const text of requests) parts.push(handlers.one(text))
      return handlers.collected(parts)
    },
    list: text => handlers.list(text),
    chat: requests => each(requests, handlers.one),
  })
  await server.listen(`127.0.0.1:${port}`)
}

async function* of(texts) {
  yield* texts
}

async function all(parts, now) {
  const seen = []
  for await (const text of parts) seen.push(`${now()}<${text}`)
  return seen
}

function connect(target, fresh) {
  const channel = createChannel(target, ChannelCredentials.createInsecure(), channelOptions(fresh))
  const client = createClient(ECHO, channel)
  return {
    unary: text => client.unary(text),
    flaky: text => client.flaky(text),
    hedged: text => client.hedged(text),
    collect: texts => client.collect(of(texts)),
    list: (text, now) => all(client.list(text), now),
    chat: (texts, now) => all(client.chat(of(texts)), now),
    close: () => channel.close(),
  }
}

module.exports = { serve, connect }
