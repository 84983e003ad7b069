import { createModule } from '../../shapes/nest.mjs'

export default {
  library: '@nestjs/core',
  use: 'guard, interceptor, HttpService, ClsModule, request scope; Fastify',
  explicit: true,
  async service(kit) {
    const { NestFactory } = kit.require('@nestjs/core')
    const { FastifyAdapter } = kit.require('@nestjs/platform-fastify')
    const app = await NestFactory.create(createModule(kit, '*'), new FastifyAdapter(), { logger: false })
    if (kit.laneway !== undefined) await app.register(kit.laneway.fastify)
    await app.init()
    await app.getHttpAdapter().getInstance().ready()
    return { server: app.getHttpServer(), laned: true, close: () => app.close() }
  },
}
