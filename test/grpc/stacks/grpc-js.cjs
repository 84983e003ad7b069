// Servers and clients of @grpc/grpc-js itself, with or without the interceptor and the channel of @laneway/grpc.
const grpc = require('@grpc/grpc-js')
const { textMethod } = require('../text-method.cjs')

const method = (name, requestStream, responseStream) => textMethod(`/test.Echo/${name}`, requestStream, responseStream)
const ECHO = {
  unary: method('Unary', false, false),
  flaky: method('Flaky', false, false),
  hedged: method('Hedged', false, false),
  collect: method('Collect', true, false),
  list: method('List', false, true),
  chat: method('Chat', true, true),
}
const name = method => [{ service: 'test.Echo', method }]
const CONFIG = JSON.stringify({
  methodConfig: [
    {
      name: name('Flaky'),
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: '0.01s',
        maxBackoff: '0.05s',
        backoffMultiplier: 1.5,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
    { name: name('Hedged'), hedgingPolicy: { maxAttempts: 3, hedgingDelay: '0.003s', nonFatalStatusCodes: [] } },
  ],
})

/** What the application says about its channels. @param fresh - on a connection of its own */
const channelOptions = fresh => ({
  'grpc.service_config': CONFIG,
  ...(fresh && { 'grpc.use_local_subchannel_pool': 1 }),
})

const unary = handle => (call, callback) =>
  handle(call.request, call.metadata).then(
    value => callback(null, value),
    error => callback({ code: grpc.status.UNAVAILABLE, details: error.message }),
  )

async function pump(parts, call) {
  for await (const part of parts) call.write(part)
  call.end()
}

/** Calls back with texts as the events of a stream bring them: no iterator of ours hides a context. */
function onEvents(call, one, done) {
  const parts = []
  call.on('data', text => parts.push(one(text)))
  call.on('end', () => done(parts))
}

function handlersOf(handlers) {
  return {
    unary: unary(handlers.unary),
    flaky: unary(handlers.flaky),
    hedged: unary(handlers.hedged),
    collect: (call, callback) =>
      onEvents(call, handlers.one, parts => handlers.collected(parts).then(value => callback(null, value))),
    list: call => void pump(handlers.list(call.request), call),
    chat: call =>
      onEvents(
        call,
        text => handlers.one(text).then(said => call.write(said)),
        parts => Promise.all(parts).then(() => call.end()),
      ),
  }
}

async function serve(port, handlers, interceptors) {
  const server = new grpc.Server(interceptors === undefined ? {} : { interceptors })
  server.addService(ECHO, handlersOf(handlers))
  await new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, grpc.ServerCredentials.createInsecure(), error =>
      error ? reject(error) : resolve(),
    )
  })
}

const Client = grpc.makeGenericClientConstructor(ECHO, 'Echo')

function connect(target, fresh, options = {}) {
  const client = new Client(target, grpc.credentials.createInsecure(), { ...channelOptions(fresh), ...options })
  const one = method => text =>
    new Promise((resolve, reject) => client[method](text, (error, value) => (error ? reject(error) : resolve(value))))
  const all = (call, now) =>
    new Promise((resolve, reject) => {
      const parts = []
      call.on('data', text => parts.push(`${now()}<${text}`))
      call.on('error', reject)
      call.on('end', () => resolve(parts))
    })
  return {
    unary: one('unary'),
    flaky: one('flaky'),
    hedged: one('hedged'),
    collect: texts =>
      new Promise((resolve, reject) => {
        const call = client.collect((error, value) => (error ? reject(error) : resolve(value)))
        for (const text of texts) call.write(text)
        call.end()
      }),
    list: (text, now) => all(client.list(text), now),
    chat: (texts, now) => {
      const call = client.chat()
      for (const text of texts) call.write(text)
      call.end()
      return all(call, now)
    },
    close: () => client.close(),
  }
}

module.exports = { ECHO, channelOptions, serve, connect }
