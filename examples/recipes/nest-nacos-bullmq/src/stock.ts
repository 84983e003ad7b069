// A service with a gray version.
import 'reflect-metadata'
import { Controller, Get, Headers, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'

@Controller()
class StockController {
  @Get()
  stock(@Headers('x-mse-tag') tag = 'none') {
    return `stock ${process.env.VERSION}, tag ${tag}`
  }
}

@Module({ controllers: [StockController] })
class StockModule {}

const app = await NestFactory.create(StockModule, { logger: ['error', 'warn'] })
await app.listen(0, '127.0.0.1')
console.log(`listening on ${app.getHttpServer().address().port}`)
