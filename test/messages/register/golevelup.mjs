// @golevelup/nestjs-rabbitmq without a word of Laneway: its connection makes its channels itself.
//   node golevelup.mjs <url> <name>
import 'reflect-metadata'
import { createServer } from 'node:http'
import { AmqpConnection, RabbitMQModule, RabbitSubscribe } from '@golevelup/nestjs-rabbitmq'
import { Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import nextHop from './next-hop.cjs'

const [uri, name] = process.argv.slice(2)
const seen = []

class Orders {
  async handle({ text }) {
    seen.push(`${text}:${await nextHop.laneHeaderHere()}`)
  }
}
RabbitSubscribe({ exchange: name, routingKey: 'orders.#', queue: name })(
  Orders.prototype,
  'handle',
  Object.getOwnPropertyDescriptor(Orders.prototype, 'handle'),
)
Injectable()(Orders)

class App {}
const rabbit = RabbitMQModule.forRoot({
  uri,
  exchanges: [{ name, type: 'topic' }],
  connectionInitOptions: { wait: true },
})
Module({ imports: [rabbit], providers: [Orders] })(App)

let app
const server = createServer(async (request, response) => {
  try {
    const [, what, text] = request.url.split('/')
    if (what === 'open') app = await (await NestFactory.create(App, { logger: ['error'] })).init()
    if (what === 'send') await app.get(AmqpConnection).publish(name, 'orders.new', { text })
    response.end(JSON.stringify(seen))
  } catch (error) {
    response.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
