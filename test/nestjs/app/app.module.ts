import { LaneClients, LanewayModule } from '@laneway/nestjs'
import { HttpModule } from '@nestjs/axios'
import { type MiddlewareConsumer, Module } from '@nestjs/common'
import { TerminusModule } from '@nestjs/terminus'
import { AppController } from './app.controller.js'
import { AppService } from './app.service.js'
import { LaneGateway } from './lane.gateway.js'
import { LanesController } from './lanes.controller.js'
import { createClient, resolver } from './settings.js'
import { middleware } from './trail.js'

/** What the generator made, and lanes. */
@Module({
  imports: [
    // Beside register, that has the resolver.
    LanewayModule.forRootAsync({ useFactory: () => (resolver === undefined ? {} : { resolver }) }),
    HttpModule.registerAsync({ useExisting: LaneClients }),
    TerminusModule,
  ],
  controllers: [AppController, LanesController],
  providers: [
    AppService,
    LaneGateway,
    { provide: 'ORDERS', useFactory: createClient },
  ],
})
export class AppModule {
  configure(consumer: MiddlewareConsumer) {
    consumer.apply(middleware).forRoutes(LanesController)
  }

  async onApplicationShutdown() {
    await resolver?.close()
  }
}
