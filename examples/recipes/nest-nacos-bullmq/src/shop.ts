// Takes orders over HTTP and adds a job for each.
import 'reflect-metadata'
import { Controller, Inject, Module, Param, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Queue } from 'bullmq'
import { createQueue } from './queue.js'

@Controller('orders')
class OrdersController {
  constructor(@Inject('QUEUE') private readonly queue: Queue) {}

  @Post(':id')
  async order(@Param('id') id: string) {
    await this.queue.add('order', { id })
    return { id }
  }
}

@Module({ controllers: [OrdersController], providers: [{ provide: 'QUEUE', useFactory: createQueue }] })
class ShopModule {}

const app = await NestFactory.create(ShopModule, { logger: ['error', 'warn'] })
await app.listen(0, '127.0.0.1')
console.log(`listening on ${app.getHttpServer().address().port}`)
