import 'reflect-metadata'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { channels, currentLane, type IngressEvent } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { listen } from '@laneway/testkit'
import {
  type CallHandler,
  Catch,
  Controller,
  type ExecutionContext,
  Get,
  HttpException,
  Injectable,
  type MiddlewareConsumer,
  Module,
  Param,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { mergeMap } from 'rxjs'
import t from 'tap'
import { CurrentLane, LaneClients, LanewayHealth, LanewayModule, type LanewayModuleOptions } from '../src/index.js'

/** What TypeScript makes of decorators, by hand: the tests run without a compiler that knows them. */
function decorate(target: Type, method: string, ...decorators: MethodDecorator[]) {
  for (const one of decorators)
    one(target.prototype, method, Object.getOwnPropertyDescriptor(target.prototype, method)!)
}

const here = (name: string) => `${name}:${currentLane()?.header ?? 'none'}`
const seen = new AsyncLocalStorage<string[]>()
const note = (name: string) => seen.getStore()?.push(here(name))

class Guard {
  async canActivate() {
    await null
    note('guard')
    return true
  }
}
class Interceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    note('interceptor')
    return next.handle().pipe(mergeMap(async value => [...value, here('after')]))
  }
}
class Pipe {
  transform(value: unknown) {
    note('pipe')
    return value
  }
}
class Filter {
  catch(error: HttpException, host: any) {
    host
      .switchToHttp()
      .getResponse()
      .status(error.getStatus())
      .json([here('filter'), ...seen.getStore()!])
  }
}
Catch(HttpException)(Filter)

class Lanes {
  async one(_id: string, lane: { header: string } | undefined) {
    note('handler')
    return [`parameter:${lane?.header ?? 'none'}`, ...seen.getStore()!]
  }
  fails() {
    throw new HttpException('no', 418)
  }
}
Controller()(Lanes)
decorate(Lanes, 'one', Get('one/:id'), UseGuards(Guard), UseInterceptors(Interceptor), UsePipes(Pipe))
decorate(Lanes, 'fails', Get('fails'), UseFilters(Filter))
Param('id')(Lanes.prototype, 'one', 0)
CurrentLane()(Lanes.prototype, 'one', 1)
for (const one of [Guard, Interceptor, Pipe]) Injectable()(one)

async function application(module: object, controllers: Type[] = [Lanes]) {
  class App {
    configure(consumer: MiddlewareConsumer) {
      consumer
        .apply((_request: unknown, _response: unknown, next: () => void) => {
          seen.run([], () => {
            note('middleware')
            next()
          })
        })
        .forRoutes(Lanes)
    }
  }
  Module({ imports: [module as never], controllers })(App)
  const app = await NestFactory.create(App, { logger: false, abortOnError: false })
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address() as AddressInfo
  const ask = async (path: string, lane?: string) =>
    (
      await fetch(`http://127.0.0.1:${port}${path}`, lane === undefined ? {} : { headers: { 'x-mse-tag': lane } })
    ).json()
  return { app, ask, port }
}

t.test('everything that Nest calls for a request runs in its lane, and the request is decided once', async t => {
  const { app, ask } = await application(LanewayModule.forRoot())
  t.teardown(() => app.close())
  const events: IngressEvent[] = []
  const count = (event: IngressEvent) => events.push(event)
  channels.ingress.subscribe(count)
  t.teardown(() => channels.ingress.unsubscribe(count))
  const tags = ['gray', undefined, 'blue']
  const answers = await Promise.all(tags.flatMap(tag => [ask('/one/1', tag), ask('/fails', tag)]))
  for (const [index, tag = 'none'] of tags.entries()) {
    // Nest calls the pipe for each of the two parameters.
    const names = ['parameter', 'middleware', 'guard', 'interceptor', 'pipe', 'pipe', 'handler', 'after']
    t.strictSame(
      answers[2 * index],
      names.map(name => `${name}:${tag}`),
    )
    t.strictSame(answers[2 * index + 1], [`filter:${tag}`, `middleware:${tag}`])
  }
  t.equal(events.length, 6)
})

t.test('options by a factory; clients with the resolver of the options; health', async t => {
  const next = (name: string) =>
    listen(
      t,
      createServer((request, response) => response.end(`${name} ${request.headers['x-mse-tag']}`)),
    )
  const resolver = createLaneResolver({
    sources: [
      createStaticSource({
        'sc-b': [
          { host: '127.0.0.1', port: await next('base') },
          { host: '127.0.0.1', port: await next('gray'), tags: ['gray'] },
        ],
      }),
    ],
    services: ['sc-b'],
  })
  t.teardown(() => resolver.close())
  class Calls {
    declare clients: LaneClients
    declare health: LanewayHealth
    async fetch() {
      const answer = await this.clients.fetch('http://sc-b/')
      return [await answer.text(), this.clients.createHttpOptions().httpAgent === this.clients.httpAgent]
    }
    async http() {
      return new Promise(resolve => {
        get('http://sc-b/', { agent: this.clients.httpAgent }, answer =>
          answer.on('data', data => resolve([`${data}`])),
        )
      })
    }
    up() {
      return this.health.isHealthy('lanes')
    }
  }
  Controller()(Calls)
  for (const name of ['fetch', 'http', 'up']) decorate(Calls, name, Get(name))
  const { Inject } = await import('@nestjs/common')
  Inject(LaneClients)(Calls.prototype, 'clients')
  Inject(LanewayHealth)(Calls.prototype, 'health')
  const module = LanewayModule.forRootAsync({ useFactory: async () => ({ resolver }) })
  const { app, ask } = await application(module, [Lanes, Calls])
  t.strictSame(await ask('/fetch', 'gray'), ['gray gray', true])
  t.strictSame(await ask('/fetch'), ['base undefined', true])
  t.strictSame(await ask('/http', 'gray'), ['gray gray'])
  t.strictSame(await ask('/http', 'blue'), ['base blue'])
  t.strictSame(await ask('/up'), { lanes: { status: 'up', warnings: [], services: { 'sc-b': 'current' } } })
  await app.close()
  t.equal(resolver.health().ready, true, 'the resolver belongs to the application')
})

t.test('health is down, in the way of terminus, until the declared services were answered for', async t => {
  const silent = { name: 'silent', subscribe: () => () => {}, close: async () => {} }
  const resolver = createLaneResolver({ sources: [silent], services: ['sc-b'] })
  t.teardown(() => resolver.close())
  const health = new LanewayHealth(resolver)
  const failed = { isHealthCheckError: true, causes: { laneway: { status: 'down' } } } as never
  t.throws(() => health.isHealthy(), failed)
  t.match(new LanewayHealth(undefined).isHealthy(), { laneway: { status: 'up', services: {} } })
})

const REFUSED: Record<string, LanewayModuleOptions> = {
  'an unknown name': { trsut: 'edge' } as never,
  'a trust that does not exist': { trust: 'all' as never },
  'a tag that is none': { tag: 'no tag!' },
  'what is no resolver': { resolver: {} as never },
  'a host that is none': { propagateTo: ['a b'] },
}

for (const [name, options] of Object.entries(REFUSED)) {
  t.test(`the application does not start with ${name}`, async t => {
    await t.rejects(application(LanewayModule.forRoot(options)), { code: /^LANEWAY_INVALID_(OPTION|TAG)$/ })
  })
}

t.test('the options hold: trust, header', async t => {
  const { app, ask, port } = await application(LanewayModule.forRoot({ trust: 'edge' }))
  t.teardown(() => app.close())
  t.match(await ask('/one/1', 'gray'), ['parameter:none'])
  const other = await application(LanewayModule.forRoot({ header: 'x-lane' }))
  t.teardown(() => other.app.close())
  t.not(port, other.port)
  const answer = await fetch(`http://127.0.0.1:${other.port}/one/1`, {
    headers: { 'x-lane': 'gray', 'x-mse-tag': 'red' },
  })
  t.match(await answer.json(), ['parameter:gray'])
})

t.test('LANEWAY_DISABLE=ingress leaves requests alone', async t => {
  process.env['LANEWAY_DISABLE'] = 'ingress'
  t.teardown(() => delete process.env['LANEWAY_DISABLE'])
  const { app, ask } = await application(LanewayModule.forRoot())
  t.teardown(() => app.close())
  t.match(await ask('/one/1', 'gray'), ['parameter:none'])
})
