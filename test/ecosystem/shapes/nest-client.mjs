// A Nest app that asks a microservice and goes on inside the answer.
import { createAsk } from './ask.mjs'
import { sharedConnections } from './connections.mjs'
import { decorate } from './nest.mjs'

/**
 * `transport(kit)` is the `{ transport, options }` of both ends, which live in one process. The client connects at start, and in
 * a second row while a request in lane gray is served.
 */
export function nestClientRows({ transport, use, ...row }) {
  const variant = (variant, opened) => ({
    variant,
    library: '@nestjs/microservices',
    explicit: true,
    ...row,
    use: `${use}; connected ${opened === 'start' ? 'at start' : 'by a request'}`,
    async service(kit) {
      kit.require('reflect-metadata')
      const { Controller, Get, Inject, Module, Req } = kit.require('@nestjs/common')
      const { NestFactory } = kit.require('@nestjs/core')
      const { ClientsModule, MessagePattern, Payload } = kit.require('@nestjs/microservices')
      const { firstValueFrom, from, mergeMap, switchMap } = kit.require('rxjs')
      const ask = createAsk(kit)
      // The packages know no microservices: what runs inside the answer is bound by hand.
      const bind = kit.laneway?.bindLane ?? (fn => fn)
      const connection = await transport(kit)
      let connected

      class AppController {
        constructor(client) {
          this.client = client
        }
        answer(number) {
          return number * 2
        }
        async read(req) {
          await connected(req)
          const { headers } = req
          const number = Number(headers['x-id'])
          return this.client.send('double', number).pipe(
            switchMap(bind(double => from(ask(headers, 'switch-map')).pipe(mergeMap(async body => [double, body])))),
            mergeMap(
              bind(async seen => {
                const again = await firstValueFrom(this.client.send('double', number))
                return [...seen, again, await ask(headers, 'first-value', true)]
              }),
            ),
          )
        }
      }
      Inject('CLIENT')(AppController, undefined, 0)
      Payload()(AppController.prototype, 'answer', 0)
      decorate(AppController, 'answer', MessagePattern('double'))
      Req()(AppController.prototype, 'read', 0)
      decorate(AppController, 'read', Get('{*any}'))
      Controller()(AppController)
      class AppModule {}
      Module({
        imports: [ClientsModule.register([{ name: 'CLIENT', ...connection }])],
        controllers: [AppController],
      })(AppModule)

      const app = await NestFactory.create(AppModule, { logger: false })
      if (kit.laneway !== undefined) app.use(kit.laneway.express())
      app.connectMicroservice(connection)
      await app.startAllMicroservices()
      await app.init()
      connected = await sharedConnections(opened, () => app.get('CLIENT').connect())
      return { server: app.getHttpServer(), laned: true, close: () => app.close() }
    },
  })
  // CI runs the second, which can be wrong as well as lost.
  return [{ ...variant('at-start', 'start'), full: true }, variant('by-request', 'request')]
}
