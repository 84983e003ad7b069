// A NestJS microservice and its client, without a word of Laneway; what TypeScript makes of decorators, by hand.
//   node nest.mjs <transport> <address> <name>
import 'reflect-metadata'
import { createServer } from 'node:http'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ClientProxyFactory, EventPattern, MessagePattern, Payload, Transport } from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import nextHop from './next-hop.cjs'

const [transport, address, name] = process.argv.slice(2)
const [host, port] = address.split(':')
const seen = []
const pattern = kind => `${name}-${kind}`

class Lanes {
  async ask() {
    return { lane: await nextHop.laneHeaderHere() }
  }
  async hear(text) {
    seen.push(`${text}:${await nextHop.laneHeaderHere()}`)
  }
}
const decorate = (method, pattern, decorator) =>
  decorator(pattern)(Lanes.prototype, method, Object.getOwnPropertyDescriptor(Lanes.prototype, method))
decorate('ask', pattern('ask'), MessagePattern)
decorate('hear', pattern('hear'), EventPattern)
Payload()(Lanes.prototype, 'hear', 0)
Controller()(Lanes)

class App {}
Module({ controllers: [Lanes] })(App)

const OPTIONS = {
  rmq: { urls: [address], queue: name, queueOptions: { durable: false } },
  kafka: {
    client: { brokers: [address], clientId: name, logLevel: 0 },
    consumer: { groupId: name },
    subscribe: { fromBeginning: true },
  },
  redis: { host, port: Number(port) },
  nats: { servers: [address] },
  tcp: { host: '127.0.0.1', port: Number(port) },
}
const transportOptions = { transport: Transport[transport.toUpperCase()], options: OPTIONS[transport] }
const service = await NestFactory.createMicroservice(App, { ...transportOptions, logger: ['error'] })
const client = ClientProxyFactory.create(transportOptions)
if (transport === 'kafka') client.subscribeToResponseOf(pattern('ask'))

const server = createServer(async (request, response) => {
  try {
    const [, what, text] = request.url.split('/')
    if (what === 'open') {
      await service.listen()
      await client.connect()
    }
    // What runs behind the answer is still the work of this request.
    if (what === 'ask') {
      const { lane } = await firstValueFrom(client.send(pattern('ask'), {}))
      response.end(JSON.stringify([lane, await nextHop.laneHeaderHere()]))
      return
    }
    if (what === 'emit') await firstValueFrom(client.emit(pattern('hear'), text), { defaultValue: undefined })
    response.end(JSON.stringify(seen))
  } catch (error) {
    response.writeHead(500).end(String(error?.stack ?? error))
  }
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
