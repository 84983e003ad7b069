// Servers and clients of Nest microservices over gRPC: no code of Laneway in them, unless interceptors and a factory of channels are given.
require('reflect-metadata')
const { join } = require('node:path')
const { Module } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')
const { ClientProxyFactory, GrpcMethod, GrpcStreamCall, RpcException, Transport } = require('@nestjs/microservices')
const { Observable, ReplaySubject, lastValueFrom, toArray } = require('rxjs')
const { channelOptions } = require('./grpc-js.cjs')

const proto = { package: 'test', protoPath: join(__dirname, '../echo.proto') }

const unary =
  handle =>
  async ({ value }, metadata) => {
    try {
      return { value: await handle(value, metadata) }
    } catch (error) {
      throw new RpcException({ code: 14, message: error.message })
    }
  }

/** The class of a controller, as its decorators would make it. */
function controllerOf(handlers) {
  class EchoController {}
  const methods = {
    unary: unary(handlers.unary),
    flaky: unary(handlers.flaky),
    hedged: unary(handlers.hedged),
    list: ({ value }) =>
      new Observable(subscriber => {
        void (async () => {
          for await (const said of handlers.list(value)) subscriber.next({ value: said })
          subscriber.complete()
        })()
      }),
    collect(call, callback) {
      const parts = []
      call.on('data', ({ value }) => parts.push(handlers.one(value)))
      call.on('end', () => void handlers.collected(parts).then(value => callback(null, { value })))
    },
    chat(call) {
      const parts = []
      call.on('data', ({ value }) => parts.push(handlers.one(value).then(said => call.write({ value: said }))))
      call.on('end', () => void Promise.all(parts).then(() => call.end()))
    },
  }
  for (const [name, method] of Object.entries(methods)) {
    EchoController.prototype[name] = method
    const decorate = name === 'collect' || name === 'chat' ? GrpcStreamCall : GrpcMethod
    const rpc = name[0].toUpperCase() + name.slice(1)
    decorate('Echo', rpc)(
      EchoController.prototype,
      name,
      Object.getOwnPropertyDescriptor(EchoController.prototype, name),
    )
  }
  Reflect.defineMetadata('__controller__', true, EchoController)
  Reflect.defineMetadata('path', '/', EchoController)
  return EchoController
}

async function serve(port, handlers, interceptors) {
  class EchoModule {}
  Module({ controllers: [controllerOf(handlers)] })(EchoModule)
  const app = await NestFactory.createMicroservice(EchoModule, {
    transport: Transport.GRPC,
    options: { ...proto, url: `127.0.0.1:${port}`, ...(interceptors && { channelOptions: { interceptors } }) },
    logger: ['error'],
  })
  await app.listen()
}

function requests(texts) {
  const subject = new ReplaySubject()
  for (const value of texts) subject.next({ value })
  subject.complete()
  return subject
}

function connect(target, fresh, lanes) {
  const client = ClientProxyFactory.create({
    transport: Transport.GRPC,
    options: { ...proto, url: target, channelOptions: { ...channelOptions(fresh), ...lanes } },
  })
  const echo = client.getService('Echo')
  const all = (values, now) => lastValueFrom(values.pipe(mapIn(now), toArray()))
  return {
    unary: async value => (await lastValueFrom(echo.unary({ value }))).value,
    flaky: async value => (await lastValueFrom(echo.flaky({ value }))).value,
    hedged: async value => (await lastValueFrom(echo.hedged({ value }))).value,
    collect: async texts => (await lastValueFrom(echo.collect(requests(texts)))).value,
    list: (value, now) => all(echo.list({ value }), now),
    chat: (texts, now) => all(echo.chat(requests(texts)), now),
    close: () => client.close(),
  }
}

/** Notes the lane in which each value arrives. */
function mapIn(now) {
  return source =>
    new Observable(subscriber =>
      source.subscribe({
        next: ({ value }) => subscriber.next(`${now()}<${value}`),
        error: error => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    )
}

module.exports = { proto, controllerOf, serve, connect }
