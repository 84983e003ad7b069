// What TypeScript makes of decorators, by hand: a controller, a provider, an interceptor.
import 'reflect-metadata'
import { Controller, Get, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { mergeMap } from 'rxjs'

const call = async () => (await fetch('http://svc/')).text()

class Orders {
  find() {
    return call()
  }
}
Injectable()(Orders)

class OrdersController {
  constructor(orders) {
    this.orders = orders
  }
  find() {
    return this.orders.find()
  }
}
Reflect.defineMetadata('design:paramtypes', [Orders], OrdersController)
Get()(OrdersController.prototype, 'find', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'find'))
Controller()(OrdersController)

class App {}
Module({ controllers: [OrdersController], providers: [Orders] })(App)

const app = await NestFactory.create(App, { logger: ['error'] })
app.useGlobalInterceptors({
  intercept: (_context, next) => next.handle().pipe(mergeMap(async text => `${text} ${await call()}`)),
})
await app.listen(0, '127.0.0.1')
console.log(`serving on ${app.getHttpServer().address().port}`)
