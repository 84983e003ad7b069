import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fastify } from 'fastify'
import fastify4 from 'fastify4'
import t, { type Test } from 'tap'
import { fastifyLane } from '../src/index.js'

const HINT =
  'a request with x-mse-tag was answered without its lane, because a handler answered before the middleware of Laneway, ' +
  'or outside of it: call app.register(fastifyLane) on the root instance, not inside of a plugin'

type App = ReturnType<typeof fastify>

/** One hint is given in a process, so the instances share these warnings, and those that are right come first. */
const warnings: string[] = []
const warn = (message: string) => void warnings.push(message)

async function ask(t: Test, app: App, paths: readonly string[], tag = 'gray'): Promise<number[]> {
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const statuses: number[] = []
  for (const path of paths) {
    const answer = await fetch(`${address}${path}`, { headers: { 'x-mse-tag': tag } })
    await answer.text()
    statuses.push(answer.status)
  }
  return statuses
}

t.test('no hint where every route is in its lane, nor for an answer of Fastify itself', async t => {
  for (const create of [fastify, fastify4 as unknown as typeof fastify]) {
    const app = create()
    // A route of the same instance has the hooks that are added later.
    app.get('/early', async request => request.lane?.header ?? 'base')
    app.register(async child => child.get('/early-child', async request => request.lane?.header ?? 'base'))
    app.register(fastifyLane, { warn })
    app.register(async child => child.get('/child', async request => request.lane?.header ?? 'base'))
    t.same(await ask(t, app, ['/early', '/early-child', '/child', '/none', '/%zz']), [200, 200, 200, 404, 400])
  }
  t.same(warnings, [])
})

t.test('no hint for another server in the process, which has no lanes', async t => {
  const other = createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-mse-tag': 'gray' } })
  t.equal(answer.status, 200)
  t.same(warnings, [])
})

t.test('one hint for a route beside the plugin that registers it', async t => {
  const app = fastify()
  app.register(async child => {
    await child.register(fastifyLane, { warn })
    child.get('/in', async request => request.lane?.header ?? 'base')
  })
  app.get('/beside', async () => 'x')
  app.get('/refused', async (_request, reply) => reply.code(401).send())
  await ask(t, app, ['/in', '/refused'])
  t.same(warnings, [], 'a refusal is no handler that goes on')
  const { port } = app.server.address() as AddressInfo
  for (let turn = 0; turn < 2; turn++) {
    await (await fetch(`http://127.0.0.1:${port}/beside`, { headers: { 'x-mse-tag': 'gray' } })).text()
  }
  t.same(warnings, [HINT], 'said once')
})
