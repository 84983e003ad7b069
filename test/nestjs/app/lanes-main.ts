// The application of the generator, with what a test asks for in the environment.
import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { WsAdapter } from '@nestjs/platform-ws'
import { Test } from '@nestjs/testing'
import { AppModule } from './app.module.js'
import { createServer } from './settings.js'

const { PLATFORM, MODE } = process.env

async function create() {
  if (PLATFORM !== 'fastify') return NestFactory.create(AppModule, { logger: ['error'] })
  if (MODE !== 'testing') {
    return NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: ['error'] })
  }
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile()
  return module.createNestApplication<NestFastifyApplication>(new FastifyAdapter())
}

async function bootstrap() {
  const app = await create()
  app.useWebSocketAdapter(new WsAdapter(app))
  if (MODE !== undefined) {
    await app.init()
    const fastify = app as NestFastifyApplication
    const tags = ['gray', 'none', 'blue']
    const answers = await Promise.all(
      tags.map(tag =>
        fastify.inject({ url: '/lanes/seen/1', headers: tag === 'none' ? {} : { 'x-mse-tag': tag } }),
      ),
    )
    await app.close()
    console.log(JSON.stringify(answers.map(({ payload }) => JSON.parse(payload))))
    return
  }
  app.enableShutdownHooks()
  const strategy = createServer()
  if (strategy !== undefined) {
    app.connectMicroservice({ strategy })
    await app.startAllMicroservices()
  }
  await app.listen(0, '127.0.0.1')
  console.log(`serving on ${(app.getHttpServer().address() as AddressInfo).port}`)
}

void bootstrap()
