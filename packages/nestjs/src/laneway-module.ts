import { ConfigurableModuleBuilder, type DynamicModule, Global, Module } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { LaneClients } from './lane-clients.js'
import { type AdapterHost, LaneIngress } from './lane-ingress.js'
import { LanewayHealth } from './laneway-health.js'
import { type LanewayModuleOptions, type LanewaySettings, splitOptions } from './laneway-options.js'

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<LanewayModuleOptions>({
  moduleName: 'Laneway',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createLanewayOptions')
  .build()

const SETTINGS = Symbol('laneway.settings')

/**
 * Lanes for a Nest application: `LanewayModule.forRoot(options)`, or `forRootAsync({ inject, useFactory })`, once, in the
 * root module. It is global, because a process has one way into a lane.
 *
 * Each request runs in its lane, in all of Nest. `LaneClients` and `LanewayHealth` can be injected everywhere. The resolver in
 * the options stays the application's own: close it in `onApplicationShutdown`.
 *
 * Under `LANEWAY_DISABLE` with `all`, `ingress` or `nest` requests are left alone; with `http` or `undici`, these clients.
 * Wrong options reject `NestFactory.create` with a LanewayError `LANEWAY_INVALID_OPTION` or `LANEWAY_INVALID_TAG`.
 */
export class LanewayModule extends ConfigurableModuleClass {
  /** Never throws; wrong options are found when the application is created. */
  static override forRoot(options: LanewayModuleOptions = {}): DynamicModule {
    // biome-ignore lint/complexity/noThisInStatic: the base makes the module of the class that it is called on
    return super.forRoot(options)
  }
}

Global()(LanewayModule)
Module({
  providers: [
    { provide: SETTINGS, inject: [MODULE_OPTIONS_TOKEN], useFactory: splitOptions },
    {
      provide: LaneIngress,
      inject: [SETTINGS, HttpAdapterHost],
      useFactory: ({ ingress }: LanewaySettings, host: AdapterHost) => new LaneIngress(ingress, host),
    },
    {
      provide: LaneClients,
      inject: [SETTINGS],
      useFactory: ({ egress }: LanewaySettings) => new LaneClients(egress),
    },
    {
      provide: LanewayHealth,
      inject: [SETTINGS],
      useFactory: ({ egress }: LanewaySettings) => new LanewayHealth(egress.resolver),
    },
  ],
  exports: [LaneClients, LanewayHealth],
})(LanewayModule)
