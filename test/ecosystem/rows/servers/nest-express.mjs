import { createModule } from '../../shapes/nest.mjs'

export default {
  library: '@nestjs/core',
  use: 'guard, interceptor, HttpService, ClsModule, request scope; Express',
  explicit: true,
  async service(kit) {
    const { NestFactory } = kit.require('@nestjs/core')
    const app = await NestFactory.create(createModule(kit, '{*any}'), { logger: false })
    if (kit.laneway !== undefined) app.use(kit.laneway.express())
    await app.init()
    return { server: app.getHttpServer(), laned: true, close: () => app.close() }
  },
}
