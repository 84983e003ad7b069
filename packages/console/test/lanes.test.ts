import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { channels, parseLane } from '@laneway/core'
import t from 'tap'
import { createLayout } from '../src/feeds/layout.js'
import { processesReader } from '../src/index.js'
import { lanesHandler } from '../src/lanes.js'

const decision = (service: string, lane: string | undefined, served: string | undefined, outcome: string) =>
  channels.decision.publish({
    service,
    lane: parseLane(lane),
    served,
    outcome,
    address: '10.0.0.1:80',
    reason: () => '',
  })

t.test('the console reads the calls of running processes from their handlers', async t => {
  const handler = lanesHandler({ service: 'orders' })
  t.teardown(() => handler.close())
  const server = createServer(handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const reader = processesReader({ path: '/lanes', urls: () => [`http://127.0.0.1:${port}/lanes`] })
  const instances = () => [
    { service: 'orders', host: '127.0.0.1', port },
    { service: 'evil', host: '127.0.0.1:1/x?', port },
    { service: 'evil', host: `user@127.0.0.1`, port },
  ]
  decision('users', undefined, undefined, 'base')
  t.strictSame(await reader.read(instances), [], 'the first look is the beginning')
  for (let i = 0; i < 10; i++) decision('users', 'gray', 'gray', 'lane')
  decision('stock', 'gray', undefined, 'fallback-missing')
  const flows = [...(await reader.read(instances))].sort((a, b) => (a.to < b.to ? -1 : 1))
  t.match(flows, [
    { from: 'orders', to: 'stock', lane: 'gray', served: 'base', outcome: 'fallback-missing' },
    { from: 'orders', to: 'users', lane: 'gray', served: 'gray', outcome: 'lane' },
  ])
  t.ok(Math.abs(flows[1]!.perSecond / flows[0]!.perSecond - 10) < 0.001, 'a process that two ways lead to counts once')
  t.strictSame(await reader.read(instances), [], 'what stands still is no traffic')
  const dead = processesReader({ urls: () => ['http://127.0.0.1:1/lanes'] })
  await t.rejects(
    dead.read(() => []),
    /none of 1 processes answers/,
  )
})

t.test('a handler is private: strangers, and requests through a proxy, find nothing', async t => {
  const handler = lanesHandler({ service: 'orders' })
  t.teardown(() => handler.close())
  const ask = (remoteAddress: string, headers = {}, method = 'GET') => {
    let status = 0
    const response = {
      end() {},
      writeHead(code: number) {
        status = code
        return response
      },
    }
    handler({ socket: { remoteAddress }, headers, method } as never, response as never)
    return status
  }
  t.equal(ask('10.0.0.1'), 200)
  t.equal(ask('::ffff:127.0.0.1'), 200)
  t.equal(ask('203.0.113.9'), 404)
  for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'])
    t.equal(ask('10.0.0.1', { [name]: 'x' }), 404, name)
  t.equal(ask('10.0.0.1', {}, 'POST'), 405)
  t.throws(() => lanesHandler({} as never), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => lanesHandler({ service: 'a', alow: () => true } as never), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /allow/,
  })
})

t.test('the map places each service once, whatever its name is', async t => {
  const layout = createLayout()
  t.strictSame(await layout([]), { places: [], width: 0, height: 0 })
  const names = ['entrance', '__proto__', 'constructor', 'users']
  const flows = names
    .slice(1)
    .map((to, index) => ({ from: names[index]!, to, lane: 'gray', served: 'gray', outcome: 'lane', perSecond: 1 }))
  const { places } = await layout([...flows, { ...flows[0]!, from: 'users', to: 'users' }])
  t.strictSame(places.map(place => place.name).sort(), [...names].sort())
  t.equal(new Set(places.map(place => place.x)).size, 4, 'a chain leads to the right')
  t.strictSame(Object.keys(Object.prototype), [], 'no name wrote into all objects')
  const many = Array.from({ length: 300 }, (_, index) => ({ ...flows[0]!, to: `service-${index}` }))
  t.match((await layout(many)).error, /at most 250/)
})
