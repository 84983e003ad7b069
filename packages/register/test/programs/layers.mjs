// A middleware behind a queue that all requests share: the last of six to come goes on for all, in its own context.
// Answers the lane that the program's own code sees behind it.
import { createServer } from 'node:http'
import { currentLane } from '@laneway/core'

const COUNT = 6
const waiting = []
function queue(goOn) {
  waiting.push(goOn)
  if (waiting.length === COUNT) for (const one of waiting.splice(0)) one()
}
const lane = () => currentLane()?.header ?? 'none'
const serving = server => console.log(`serving on ${server.address().port}`)

const programs = {
  async express(name = 'express') {
    const { default: express } = await import(name)
    const app = express()
    app.use((_req, _res, next) => queue(next))
    app.get('/', (_req, res) => res.send(lane()))
    app.get('/error', (_req, _res, next) => next(new Error('expected')))
    app.use((_error, _req, res, _next) => res.send(lane()))
    return app
  },
  express4: () => programs.express('express4'),
  async wrapped() {
    const app = await programs.express()
    return (req, res) => app(req, res)
  },
  async koa() {
    const { default: Koa } = await import('koa')
    const app = new Koa({ env: 'test' })
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch {
        ctx.body = lane()
      }
    })
    app.use((_ctx, next) => new Promise((resolve, reject) => queue(() => next().then(resolve, reject))))
    app.use(async ctx => {
      if (ctx.path === '/error') throw new Error('expected')
      ctx.body = lane()
    })
    return app.callback()
  },
  async fastify(name = 'fastify') {
    const { default: fastify } = await import(name)
    const app = fastify()
    app.addHook('preHandler', (_request, _reply, done) => queue(done))
    app.setErrorHandler((_error, _request, reply) => reply.send(lane()))
    app.get('/', async () => lane())
    app.get('/error', async () => {
      throw new Error('expected')
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    serving(app.server)
  },
  fastify4: () => programs.fastify('fastify4'),
  async nest() {
    await import('reflect-metadata')
    const { Controller, Get, Module } = await import('@nestjs/common')
    const { NestFactory } = await import('@nestjs/core')
    class Lanes {
      answer() {
        return lane()
      }
    }
    Reflect.decorate([Get('/')], Lanes.prototype, 'answer', Object.getOwnPropertyDescriptor(Lanes.prototype, 'answer'))
    Controller()(Lanes)
    class App {}
    Module({ controllers: [Lanes] })(App)
    const app = await NestFactory.create(App, { logger: false })
    app.use((_req, _res, next) => queue(next))
    await app.listen(0, '127.0.0.1')
    serving(app.getHttpServer())
  },
}

const handler = await programs[process.argv[2]]()
if (handler !== undefined) {
  const server = createServer(handler).listen(0, '127.0.0.1', () => serving(server))
}
