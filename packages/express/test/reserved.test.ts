import { createServer } from 'node:http'
import { currentLane } from '@laneway/core'
import { expressLane } from '@laneway/express'
import { listen } from '@laneway/testkit'
import t from 'tap'
import { generations } from './generations.js'

const TAGS = ['gray', undefined, 'blue', undefined, 'gray']

async function ask(port: number, path: string, tag: string | undefined): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: tag === undefined ? {} : { 'x-mse-tag': tag },
  })
  return answer.text()
}

for (const { name, express } of generations) {
  t.test(`${name}: a request that does not pass the middleware has no lane`, async t => {
    const app = express()
    app.use('/in', expressLane())
    app.use((req, res) => void res.send(`${req.lane?.header} ${currentLane()?.header}`))
    const port = await listen(t, createServer(app))
    for (const tag of TAGS) {
      t.equal(await ask(port, '/in', tag), `${tag} ${tag}`)
      t.equal(await ask(port, '/out', tag), 'undefined undefined')
    }
  })

  t.test(`${name}: an application keeps an emit of its own for requests and responses`, async t => {
    const app = express().use(expressLane())
    const seen: string[] = []
    for (const each of [app.request, app.response]) {
      const { emit } = each
      each.emit = function (this: typeof each, event: string, ...args: unknown[]) {
        seen.push(event)
        return Reflect.apply(emit, this, [event, ...args])
      } as typeof emit
    }
    app.get('/', (_req, res) => void res.send('done'))
    const port = await listen(t, createServer(app))
    for (const tag of TAGS) {
      seen.length = 0
      t.equal(await ask(port, '/', tag), 'done')
      t.ok(seen.includes('finish') && seen.includes('end'), `${tag}: ${seen}`)
    }
  })

  t.test(`${name}: an application is wrapped once, also with two middlewares`, async t => {
    const app = express().use(expressLane()).use(expressLane())
    app.get('/', (_req, res) => void res.send(currentLane()?.header ?? 'none'))
    const port = await listen(t, createServer(app))
    await ask(port, '/', 'gray')
    const { handle } = app as unknown as { handle: unknown }
    for (const tag of TAGS) t.equal(await ask(port, '/', tag), tag ?? 'none')
    t.equal((app as unknown as { handle: unknown }).handle, handle)
  })
}
