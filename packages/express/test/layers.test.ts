import { createServer } from 'node:http'
import { currentLane, runInLane } from '@laneway/core'
import { expressLane } from '@laneway/express'
import { laneServer } from '@laneway/http'
import { listen } from '@laneway/testkit'
import type { ErrorRequestHandler, Express, RequestHandler } from 'express'
import t from 'tap'
import { generations } from './generations.js'

const lane = () => currentLane()?.header ?? 'none'
const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue']

/** A middleware behind a queue that all requests share: the last to come calls `next` for all, in its own context. */
function sharedQueue(): RequestHandler {
  const waiting: (() => void)[] = []
  return (_req, _res, next) => {
    waiting.push(next)
    if (waiting.length === LANES.length) for (const one of waiting.splice(0)) one()
  }
}

async function ask(port: number, path: string): Promise<string[]> {
  return Promise.all(
    LANES.map(async tag => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: tag ? { 'x-mse-tag': tag } : {} })
      return answer.text()
    }),
  )
}

for (const { name, express } of generations) {
  const routes = (app: Express): Express => {
    app.set('env', 'test')
    app.get('/handler', sharedQueue(), (_req, res) => void res.send(lane()))
    app.get('/error', sharedQueue(), (_req, _res, next) => next(new Error('expected')))
    const router = express.Router()
    router.use(sharedQueue())
    router.get('/', (_req, res) => void res.send(lane()))
    app.use('/router', router)
    const inner = express()
    inner.use(sharedQueue())
    inner.get('/', (_req, res) => void res.send(lane()))
    app.use('/app', inner)
    app.use(((_error, _req, res, _next) => res.send(lane())) satisfies ErrorRequestHandler)
    return app
  }
  const expected = LANES.map(tag => tag ?? 'none')

  t.test(`${name}: a handler runs in the lane of its request, whoever called next`, async t => {
    const port = await listen(t, createServer(routes(express().use(expressLane()))))
    for (const path of ['/handler', '/error', '/router', '/app']) t.strictSame(await ask(port, path), expected, path)
  })

  t.test(`${name}: also with laneServer instead of the middleware, from the first requests on`, async t => {
    for (const path of ['/handler', '/error', '/router', '/app']) {
      const port = await listen(t, laneServer(createServer(routes(express()))))
      t.strictSame(await ask(port, path), expected, path)
    }
  })

  t.test(`${name}: a request that no ingress has seen stays where it is called`, async t => {
    const app = express()
    app.get('/', (_req, res) => void res.send(lane()))
    const port = await listen(t, createServer(app))
    const plain = createServer((req, res) => runInLane('green', () => app(req, res)))
    t.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'none')
    t.equal(await (await fetch(`http://127.0.0.1:${await listen(t, plain)}/`)).text(), 'green')
  })
}
