import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { ask, program, startApp, type Test } from './start-app.js'

/** Counts the requests that reach it; its answers may be kept, and say so. */
async function origin(t: Test) {
  let count = 0
  const server = createServer((req, res) => {
    res.setHeader('cache-control', 'public, max-age=600').setHeader('vary', 'accept')
    res.end(`${req.headers['x-mse-tag'] ?? 'none'} ${++count}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function start(t: Test) {
  const app = await startApp(t, program('caching.mjs'), { environment: { TARGET: await origin(t) } })
  return async (path: string, tag?: string) => JSON.parse(await ask(`${app.url}${path}`, tag)) as unknown
}

t.test('a program that has met no lane sees its answers as without Laneway', async t => {
  const call = await start(t)
  t.match(await call('/http'), { vary: 'accept' })
  t.strictSame(await call('/composed'), { vary: 'accept', given: true })
  t.equal(await call('/got'), 'none 3')
  t.equal(await call('/got'), 'none 3', "got's cache is used")
  t.equal(await call('/undici'), 'none 4')
  t.equal(await call('/undici'), 'none 4', "undici's cache is used, with headers in pairs")
})

t.test('from the first lane on caches keep the lanes apart', async t => {
  const call = await start(t)
  t.match(await call('/http', 'gray'), { vary: '*' })
  t.match(await call('/http'), { vary: '*' })
  t.strictSame(await call('/composed', 'gray'), { vary: 'accept', given: false })
  t.equal(await call('/undici', 'gray'), 'gray 4')
  t.equal(await call('/undici'), 'none 5')
  t.equal(await call('/undici', 'gray'), 'gray 4')
  t.equal(await call('/undici'), 'none 5')
  t.equal(await call('/got', 'gray'), 'gray 6')
  t.equal(await call('/got'), 'none 7')
})
