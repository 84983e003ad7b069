// Nest without a compiler: decorators are functions.
import { createAsk } from './ask.mjs'

export function decorate(target, name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name)
  for (const decorator of decorators) decorator(target.prototype, name, descriptor)
}

/** A guard, an interceptor, HttpService, a provider of request scope, and ClsModule. */
export function createModule(kit, anyPath) {
  kit.require('reflect-metadata')
  const { Controller, Get, Inject, Injectable, Module, Req, Scope, UseGuards, UseInterceptors } =
    kit.require('@nestjs/common')
  const { HttpModule, HttpService } = kit.require('@nestjs/axios')
  const { ClsModule, ClsService } = kit.require('nestjs-cls')
  const { from, map, mergeMap, switchMap } = kit.require('rxjs')
  const ask = createAsk(kit)

  class AsksGuard {
    async canActivate(context) {
      const { headers } = context.switchToHttp().getRequest()
      await ask(headers, 'guard')
      return true
    }
  }
  Injectable()(AsksGuard)

  class AsksInterceptor {
    intercept(context, next) {
      const { headers } = context.switchToHttp().getRequest()
      return from(ask(headers, 'interceptor')).pipe(
        mergeMap(() => next.handle()),
        mergeMap(async body => [body, await ask(headers, 'intercepted')]),
      )
    }
  }
  Injectable()(AsksInterceptor)

  class Asker {
    ask = (headers, form) => ask(headers, form, true)
  }
  Injectable({ scope: Scope.REQUEST })(Asker)

  class AppController {
    constructor(http, cls, asker) {
      Object.assign(this, { http, cls, asker })
    }
    read(req) {
      const { 'x-to': to, 'x-id': id } = req.headers
      const seen = this.cls.get('number')
      return this.http
        .get(`${kit.urls[to]}/id-${id}/http-service`)
        .pipe(
          switchMap(({ data }) =>
            from(this.asker.ask(req.headers, 'scoped')).pipe(map(scoped => ({ seen, data, scoped }))),
          ),
        )
    }
  }
  for (const [index, token] of [HttpService, ClsService, Asker].entries())
    Inject(token)(AppController, undefined, index)
  Req()(AppController.prototype, 'read', 0)
  decorate(AppController, 'read', Get(anyPath), UseGuards(AsksGuard), UseInterceptors(AsksInterceptor))
  Controller()(AppController)

  class AppModule {}
  Module({
    imports: [
      HttpModule.register({ httpAgent: kit.agent(), proxy: false }),
      ClsModule.forRoot({
        middleware: { mount: true, setup: (cls, req) => cls.set('number', (req.raw ?? req).headers['x-id']) },
      }),
    ],
    controllers: [AppController],
    providers: [AsksGuard, AsksInterceptor, Asker],
  })(AppModule)
  return AppModule
}
