// Handles the jobs, and asks the service stock about each.
import 'reflect-metadata'
import { Injectable, Module, type OnModuleInit } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createWorker } from './queue.js'

@Injectable()
class Mailer implements OnModuleInit {
  async onModuleInit() {
    const worker = createWorker(async job => {
      const answer = await fetch('http://stock/')
      console.log(`order ${job.data.id}: mailer ${process.env.VERSION}, ${await answer.text()}`)
    })
    await worker.waitUntilReady()
  }
}

@Module({ providers: [Mailer] })
class MailerModule {}

await NestFactory.createApplicationContext(MailerModule, { logger: ['error', 'warn'] })
console.log('listening to jobs')
