// A service with a gray version, which asks for its lane.
import 'reflect-metadata'
import type { Lane } from '@laneway/core'
import { CurrentLane, LanewayModule } from '@laneway/nestjs'
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'

@Controller()
class StockController {
  @Get()
  stock(@CurrentLane() lane: Lane | undefined) {
    return `stock ${process.env.VERSION}, lane ${lane?.header ?? 'base'}`
  }
}

@Module({ imports: [LanewayModule.forRoot()], controllers: [StockController] })
class StockModule {}

const app = await NestFactory.create(StockModule, { logger: ['error', 'warn'] })
await app.listen(0, '127.0.0.1')
console.log(`listening on ${app.getHttpServer().address().port}`)
