import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseLane, runInLane } from '@laneway/core'
import { type Choice, createLaneResolver, createStaticSource, type EndpointInput } from '@laneway/discovery'
import { listen } from '@laneway/testkit'
import t, { type Test } from 'tap'
import { Agent, interceptors } from 'undici'
import { composeLane } from '../src/index.js'
import { kChoiceListener } from '../src/internal.js'

const host = '127.0.0.1'
const gray = parseLane('gray')!

/** A port that refuses connections. */
async function refusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

async function start(t: Test, services: Record<string, EndpointInput[]>, ...more: Parameters<Agent['compose']>) {
  const resolver = createLaneResolver({ sources: [createStaticSource(services)] })
  const dispatcher = composeLane(new Agent(), { resolver }, ...(more as never[]))
  t.teardown(async () => {
    await dispatcher.close()
    await resolver.close()
  })
  return async (url: string): Promise<{ choices: Choice[]; text: string }> => {
    const choices: Choice[] = []
    const options = { [kChoiceListener]: { chosen: (choice: Choice) => choices.push(choice) } }
    const answer = dispatcher.request({ origin: new URL(url).origin, path: '/', method: 'GET', ...options } as never)
    const text = await answer.then(
      ({ body }) => body.text(),
      (error: { code: string }) => error.code,
    )
    return { choices, text }
  }
}

const serve = async (t: Test, text: string, status = 200) => ({
  host,
  port: await listen(
    t,
    createServer((_request, response) => response.writeHead(status).end(text)),
  ),
})

t.test('each request hears of the endpoint that served it, whatever runs beside it', async t => {
  const base = await serve(t, 'base')
  const canary = { ...(await serve(t, 'gray')), tags: ['gray'] }
  const call = await start(t, { 'sc-b': [base, canary] })
  const lanes = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? gray : undefined))
  const answers = await Promise.all(lanes.map(lane => runInLane(lane, () => call('http://sc-b'))))
  for (const [index, { choices, text }] of answers.entries()) {
    const { port } = lanes[index] === undefined ? base : canary
    t.same(
      choices.map(({ endpoint, outcome }) => [endpoint?.port, outcome]),
      [[port, lanes[index] === undefined ? 'base' : 'lane']],
    )
    t.equal(text, lanes[index]?.header ?? 'base')
  }
})

t.test('a request that moves on to another endpoint hears of both, the last one last', async t => {
  const dead = { host, port: await refusedPort(), tags: ['gray'] }
  const base = await serve(t, 'base')
  const call = await start(t, { 'sc-b': [base, dead] })
  const { choices, text } = await runInLane(gray, () => call('http://sc-b'))
  t.equal(text, 'base')
  t.same(
    choices.map(({ endpoint }) => endpoint?.port),
    [dead.port, base.port],
  )
})

t.test('a request that no endpoint may serve hears the reason', async t => {
  const call = await start(t, { 'sc-b': [{ host, port: 9, tags: ['gray'] }], 'sc-c': [] })
  const refused = await call('http://sc-b')
  t.match(refused, { text: 'LANEWAY_NO_BASE', choices: [{ outcome: 'no-base', endpoint: undefined }] })
  t.equal(refused.choices.length, 1)
})

t.test('a request to a host that is no service hears nothing', async t => {
  const { port } = await serve(t, 'outside')
  const call = await start(t, { 'sc-b': [] })
  t.same(await call(`http://${host}:${port}`), { choices: [], text: 'outside' })
})

t.test('interceptors pass it on, a retry too', async t => {
  let served = 0
  const flaky = await listen(
    t,
    createServer((_request, response) => response.writeHead(served++ === 0 ? 503 : 200).end('served')),
  )
  const retry = interceptors.retry({ maxRetries: 1, minTimeout: 1 }) as never
  const call = await start(t, { 'sc-b': [{ host, port: flaky }] }, retry)
  const { choices, text } = await call('http://sc-b')
  t.equal(text, 'served')
  t.equal(choices.length, 2)
})
