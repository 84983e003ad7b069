import { createLaneResolver, createStaticSource, type EndpointInput } from '@laneway/discovery'
import t from 'tap'
import { startConsole } from '../src/index.js'
import type { Asked, Everything, ServiceDetails, Some } from '../src/wire.js'

/** Reads the events of a console, one after the other. */
async function* eventsOf(url: string): AsyncGenerator<{ type: string; data: unknown }> {
  const response = await fetch(new URL('events', url))
  let text = ''
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/s.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      if (type !== undefined) yield { type, data: JSON.parse(data!) }
    }
  }
}

const base: EndpointInput = { host: '10.0.0.1', port: 80, metadata: { version: '1' } }
const gray: EndpointInput = { host: '10.0.0.2', port: 80, tags: ['gray'], weight: 3, health: 'unhealthy' }
const slip: EndpointInput = { host: '10.0.0.3', port: 80, metadata: { 'alicloud.service.tags': 'gray' } }

t.test('a page gets everything, and then what changes', async t => {
  const source = createStaticSource({ orders: [base, gray], users: [base], stock: [base, slip] })
  const running = await startConsole({ sources: [source] })
  t.teardown(() => running.close())
  const events = eventsOf(running.url)
  const all = (await events.next()).value as { type: string; data: Everything }
  t.equal(all.type, 'all')
  t.strictSame(all.data.rows.map(row => row.service).sort(), ['orders', 'stock', 'users'])
  const orders = all.data.rows.find(row => row.service === 'orders')!
  t.match(orders, {
    source: 'static',
    state: 'ok',
    nearMisses: 0,
    cells: {
      base: { instances: 1, healthy: 1, weight: 1, versions: ['1'] },
      gray: { instances: 1, healthy: 0, weight: 3, versions: [] },
    },
  })
  t.equal(all.data.rows.find(row => row.service === 'stock')!.nearMisses, 1)
  t.match(all.data, {
    traffic: null,
    releases: null,
    messages: null,
    can: { explain: false, rules: null, entrances: [], gapsFail: false },
  })

  source.update({ orders: [base, gray], stock: [base], parts: [gray] })
  const some = (await events.next()).value as { type: string; data: Some }
  t.equal(some.type, 'some')
  t.strictSame(
    some.data.rows?.map(row => row.service).sort(),
    ['parts', 'stock'],
    'a row that is the same is not sent again',
  )
  t.strictSame(some.data.gone, ['users'])
  await events.return(undefined)
})

t.test('the details of a service have each instance, and mark keys that nobody reads', async t => {
  const running = await startConsole({ sources: [createStaticSource({ orders: [base, gray, slip] })] })
  t.teardown(() => running.close())
  const details = async (name: string) =>
    (await (await fetch(new URL(`api/service?name=${name}`, running.url))).json()) as ServiceDetails
  const { instances, more } = await details('orders')
  t.equal(more, 0)
  t.match(instances, [
    {
      address: '10.0.0.1:80',
      lanes: ['base'],
      weight: 1,
      health: 'unknown',
      metadata: [{ key: 'version', value: '1' }],
    },
    { address: '10.0.0.2:80', lanes: ['gray'], weight: 3, health: 'unhealthy', metadata: [] },
    {
      address: '10.0.0.3:80',
      lanes: ['base'],
      metadata: [{ key: 'alicloud.service.tags', value: 'gray', meant: 'alicloud.service.tag' }],
    },
  ])
  t.strictSame(await details('__proto__'), { service: '__proto__', instances: [], more: 0 })
})

t.test('Ask explains the rule, the instance and why', async t => {
  const source = createStaticSource({ orders: [base, gray], users: [base] })
  const resolver = createLaneResolver({ sources: [source], services: ['orders', 'users'] })
  t.teardown(() => resolver.close())
  const running = await startConsole({
    sources: [source],
    resolver,
    decide: {
      name: 'test',
      request: ({ headers }) => ({
        lane: headers['x-user'] === '1' ? 'gray' : undefined,
        by: 'rule "one"',
        lines: ['one'],
      }),
    },
  })
  t.teardown(() => running.close())
  const ask = async (question: Record<string, string>) => {
    const response = await fetch(new URL(`api/ask?${new URLSearchParams(question)}`, running.url))
    return { status: response.status, ...((await response.json()) as Asked) }
  }
  t.match(await ask({ service: 'orders', lane: 'gray' }), {
    status: 200,
    lane: 'gray',
    outcome: 'fallback-unavailable',
    served: 'base',
    picked: '10.0.0.1:80',
    steps: [
      { lane: 'gray', words: '0 of 1 usable (1 unhealthy)', verdict: 'unavailable' },
      { lane: 'base', words: '1 of 1 usable', verdict: 'serves' },
    ],
  })
  t.match(await ask({ service: 'users', request: 'GET /', headers: 'X-User: 1' }), {
    rule: { lane: 'gray', by: 'rule "one"', lines: ['one'] },
    outcome: 'fallback-missing',
  })
  t.match(await ask({ service: 'users', request: 'GET /', headers: 'x-user: 2' }), {
    rule: { lane: 'base' },
    outcome: 'base',
  })
  t.match(await ask({ service: 'orders', lane: 'not a lane' }), { status: 400, error: /is not a lane/ })
  t.match(await ask({ service: 'orders', request: 'GET' }), { status: 400, error: /a method and a path/ })
})
