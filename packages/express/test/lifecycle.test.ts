import { createServer } from 'node:http'
import { channels, currentLane, type IngressEvent } from '@laneway/core'
import { expressLane } from '@laneway/express'
import { listen } from '@laneway/testkit'
import type { ErrorRequestHandler, Express, RequestHandler } from 'express'
import multer from 'multer'
import t, { type Test } from 'tap'
import { generations } from './generations.js'

const lane = () => currentLane()?.header ?? null

for (const { name, express } of generations) {
  t.test(name, async t => {
    await t.test('body parsers keep the lane: json, text, raw and multer', t => parsers(t))
    await t.test('error handlers run in the lane, whoever fails', t => errors(t))
    await t.test('mounted on a router it colours what is behind it, and nothing else', t => mounted(t))
    await t.test('a rule of a mounted router sees the whole URL', t => wholeUrl(t))
    await t.test('mounted twice it decides and counts once, the first decision stands', t => twice(t))
    await t.test('a middleware that calls back in another context loses no lane', t => lost(t))
    await t.test('sub-apps and parameters see the same lane', t => subApps(t))
    await t.test('responses that stream, and listeners on them, are in the lane', t => streaming(t))
    await t.test('req.lane is a lane or undefined', t => property(t))
    await t.test('wrong options throw when the middleware is made', async t => wrong(t))
  })

  async function serve(t: Test, app: Express): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
    app.set('env', 'test')
    const port = await listen(t, createServer(app))
    return (path, init = {}) => {
      const headers = new Headers(init.headers)
      if (!headers.has('x-mse-tag')) headers.set('x-mse-tag', 'gray')
      return fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers })
    }
  }

  async function parsers(t: Test) {
    const app = express()
    app.use(expressLane())
    const answer: RequestHandler = (req, res) => {
      res.json({ current: lane(), size: Number(req.files?.length ?? JSON.stringify(req.body).length) })
    }
    app.post('/json', express.json({ limit: '1mb' }), answer)
    app.post('/text', express.text({ limit: '1mb' }), answer)
    app.post('/raw', express.raw({ limit: '1mb' }), (req, res) => res.json({ current: lane(), size: req.body.length }))
    app.post('/form', multer().any(), answer)
    app.post('/events', (req, res) => {
      let size = 0
      req.on('data', (chunk: Buffer) => {
        size += chunk.length
      })
      req.on('end', () => res.json({ current: lane(), size }))
    })
    app.post('/iterator', async (req, res) => {
      let size = 0
      for await (const chunk of req) size += chunk.length
      res.json({ current: lane(), size })
    })
    const ask = await serve(t, app)
    for (const size of [1, 300_000]) {
      const text = 'x'.repeat(size)
      const form = new FormData()
      form.append('file', new Blob([text]), 'a.txt')
      const rows: readonly (readonly [string, string | undefined, string | FormData, number])[] = [
        ['/json', 'application/json', JSON.stringify([text]), size + 4],
        ['/text', 'text/plain', text, size + 2],
        ['/raw', 'application/octet-stream', text, size],
        ['/form', undefined, form, 1],
        ['/events', 'text/plain', text, size],
        ['/iterator', 'text/plain', text, size],
      ]
      for (const [path, type, body, length] of rows) {
        const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type }
        const response = await ask(path, { method: 'POST', headers, body })
        t.strictSame(await response.json(), { current: 'gray', size: length }, `${path} ${size}`)
      }
    }
  }

  async function errors(t: Test) {
    const app = express()
    app.use(expressLane())
    app.use(express.json())
    app.get('/throw', () => {
      throw new Error('synchronously')
    })
    app.get('/next', async (_req, _res, next) => {
      await new Promise(setImmediate)
      next(new Error('later'))
    })
    app.post('/body', (_req, res) => res.end())
    const handler: ErrorRequestHandler = (_error, req, res, _next) => {
      res.status(500).json({ current: lane(), property: req.lane?.header ?? null })
    }
    app.use(handler)
    const ask = await serve(t, app)
    const broken = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }
    for (const [path, init] of [['/throw'], ['/next'], ['/body', broken]] as const) {
      t.strictSame(await (await ask(path, init)).json(), { current: 'gray', property: 'gray' }, path)
    }
  }

  async function mounted(t: Test) {
    const app = express()
    const answer: RequestHandler = (req, res) => res.json([req.lane?.header ?? null, lane()])
    const router = express.Router()
    router.use(expressLane())
    router.get('/in', answer)
    app.use('/router', router)
    app.get('/route', expressLane(), answer)
    app.get('/out', answer)
    const ask = await serve(t, app)
    t.strictSame(await (await ask('/router/in')).json(), ['gray', 'gray'])
    t.strictSame(await (await ask('/route')).json(), ['gray', 'gray'])
    t.strictSame(await (await ask('/out')).json(), [null, null])
  }

  async function wholeUrl(t: Test) {
    const urls: unknown[] = []
    const router = express.Router()
    router.use(
      expressLane({
        rules: ({ url }) => {
          urls.push(url)
          return undefined
        },
        trust: 'edge',
      }),
    )
    router.get('/orders', (_req, res) => res.end())
    const app = express()
    app.use('/shop', router)
    const get = await serve(t, app)
    await (await get('/shop/orders?id=7')).text()
    t.strictSame(urls, ['/shop/orders?id=7'])
  }

  async function twice(t: Test) {
    const app = express()
    app.use(expressLane())
    app.use(expressLane({ trust: 'edge' }))
    const router = express.Router()
    router.use(expressLane({ trust: 'edge' }))
    router.get('/', (req, res) => res.json([req.lane?.header, lane(), req.headers['x-mse-tag']]))
    app.use('/', router)
    const ask = await serve(t, app)
    const events: IngressEvent[] = []
    const collect = (event: unknown) => {
      events.push(event as IngressEvent)
    }
    channels.ingress.subscribe(collect)
    t.teardown(() => channels.ingress.unsubscribe(collect))
    t.strictSame(await (await ask('/')).json(), ['gray', 'gray', 'gray'])
    t.equal(events.length, 1)
  }

  async function lost(t: Test) {
    const app = express()
    app.use(expressLane())
    // A middleware that calls back from a shared queue, as session stores and pools do.
    const queue: (() => void)[] = []
    const worker = setInterval(() => queue.shift()?.(), 1)
    t.teardown(() => clearInterval(worker))
    app.use((_req, _res, next) => queue.push(next))
    app.get('/', (_req, res) => res.json(lane()))
    const ask = await serve(t, app)
    t.equal(await (await ask('/')).json(), 'gray')
  }

  async function subApps(t: Test) {
    const app = express()
    const sub = express()
    const deep = express()
    app.use(expressLane())
    deep.param('id', (_req, res, next) => {
      res.locals['inParam'] = lane()
      next()
    })
    deep.get('/:id', (req, res) => res.json([req.lane?.header, lane(), res.locals['inParam']]))
    sub.use('/deep', deep)
    app.use('/sub', sub)
    const ask = await serve(t, app)
    t.strictSame(await (await ask('/sub/deep/7')).json(), ['gray', 'gray', 'gray'])
  }

  async function streaming(t: Test) {
    const app = express()
    app.use(expressLane())
    let done: (seen: unknown[]) => void = () => {}
    const ended = new Promise<unknown[]>(resolve => {
      done = resolve
    })
    app.get('/', (_req, res) => {
      const seen: unknown[] = []
      res.on('drain', () => {
        seen.push(lane())
        res.end()
      })
      res.on('finish', () => seen.push(lane()))
      res.on('close', () => {
        seen.push(lane())
        done(seen)
      })
      while (res.write('x'.repeat(65_536)));
    })
    const ask = await serve(t, app)
    await (await ask('/')).text()
    t.strictSame(await ended, ['gray', 'gray', 'gray'])
  }

  async function property(t: Test) {
    const app = express()
    app.use(expressLane())
    app.get('/', (req, res) => res.json(req.lane ?? null))
    const ask = await serve(t, app)
    const of = async (tag: string) => (await ask('/', { headers: { 'x-mse-tag': tag } })).json()
    t.strictSame(await of('gray-2, gray'), { header: 'gray-2,gray', tags: ['gray-2', 'gray'] })
    t.strictSame(await of('base'), { header: 'base', tags: ['base'] })
    t.equal(await of('-'), null)
  }
}

function wrong(t: Test) {
  t.throws(() => expressLane({ thrust: 'edge' } as never), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /expressLane has no option "thrust", did you mean "trust"\?/,
  })
  t.throws(() => expressLane({ tag: 'a b' }), { code: 'LANEWAY_INVALID_TAG' })
}
