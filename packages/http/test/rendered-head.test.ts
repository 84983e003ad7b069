import http, { type ClientRequest } from 'node:http'
import { runInLane } from '@laneway/core'
import { LaneAgent } from '@laneway/http'
import { fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { farServer, send } from './far-server.js'

const lookup = (_host: string, options: { all?: boolean }, callback: (...args: any[]) => void) =>
  options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

async function lanes(t: Test) {
  const base = await farServer(t)
  const gray = await farServer(t)
  const third = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] })
  const agent = new LaneAgent({ resolver, warn: () => {} }, { lookup: lookup as never } as http.AgentOptions)
  t.teardown(() => agent.destroy())
  return { base, gray, third, agent, far: `http://third.example:${third.port}/` }
}

const shapes: Record<string, (pairs: [string, string][]) => object> = {
  'a flat array': pairs => ({ headers: pairs.flat() }),
  'an array of pairs': pairs => ({ headers: pairs }),
  'Expect: 100-continue': pairs => ({ headers: Object.fromEntries([...pairs, ['Expect', '100-continue']]) }),
  'a flat array with Expect': pairs => ({ headers: [...pairs.flat(), 'Expect', '100-continue'] }),
}

for (const [shape, options] of Object.entries(shapes)) {
  t.test(`headers as ${shape}: the head is written already, and still says what was decided`, async t => {
    const { base, gray, third, agent, far } = await lanes(t)
    const post = (url: string, ...pairs: [string, string][]) => {
      const { host } = new URL(url)
      const all: [string, string][] = [['Host', host], ['Content-Length', '4'], ['x-other', 'kept'], ...pairs]
      return send(url, { agent, method: 'POST', ...options(all) }, 'body')
    }
    await runInLane('gray', post, 'http://sc-b/context')
    await post('http://sc-b/hand', ['X-Mse-Tag', 'gray'])
    await runInLane('gray', post, 'http://sc-b/invalid', ['x-mse-tag', 'not a tag'])
    await runInLane('gray', post, 'http://sc-b/baggage', ['baggage', 'a=1,x-mse-tag=blue'])
    await post('http://sc-b/none')
    await post('http://sc-b/none', ['x-mse-tag', ' '])
    await runInLane('gray', post, far)
    await runInLane('blue', post, far, ['x-mse-tag', 'gray'])
    const summary = (seen: typeof base.seen) =>
      seen.map(one => `${one.url} ${one.tags} ${one.baggage ?? ''} ${one.body} ${one.host?.split(':')[0]}`)
    t.strictSame(summary(gray.seen), [
      '/context gray  body sc-b',
      '/hand gray  body sc-b',
      '/invalid gray  body sc-b',
      '/baggage gray x-mse-tag=gray,a=1 body sc-b',
    ])
    t.strictSame(summary(base.seen), ['/none   body sc-b', '/none   body sc-b'])
    t.strictSame(summary(third.seen), ['/   body third.example', '/   body third.example'])
    const lines = [...gray.seen, ...base.seen, ...third.seen].map(one => one.rawHeaders)
    t.ok(
      lines.every(line => line.includes('kept')),
      'other headers pass',
    )
  })
}

t.test('100-continue goes its way: the body waits for the server', async t => {
  const order: string[] = []
  const server = http.createServer()
  server.on('checkContinue', (request, response) => {
    order.push(`head ${request.headers['x-mse-tag']}`)
    response.writeContinue()
    request.on('end', () => response.end()).resume()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const agent = new LaneAgent({ resolver: fakeResolver({ 'sc-b': [{ port }] }) })
  t.teardown(() => agent.destroy())
  await new Promise<void>((resolve, reject) => {
    runInLane('gray', () => {
      const headers = { Expect: '100-continue', 'Content-Length': 4 }
      const request = http.request('http://sc-b/', { agent, method: 'POST', headers })
      request.on('continue', () => {
        order.push('continue')
        request.end('body')
      })
      request.on('response', response => response.on('end', resolve).resume())
      request.on('error', reject)
    })
  })
  t.strictSame(order, ['head gray', 'continue'])
})

t.test('a request whose head can no longer be changed is refused, not sent in another lane', async t => {
  const { gray, base, agent, far } = await lanes(t)
  const elsewhere = await farServer(t)
  const cases = [
    { url: 'http://sc-b/', headers: ['Host', 'sc-b'], name: 'the tag cannot be set' },
    { url: far, headers: ['Host', 'third.example', 'x-mse-tag', 'blue'], name: 'the tag cannot be removed' },
  ]
  for (const { url, headers, name } of cases) {
    const plain = new http.Agent()
    const request: ClientRequest = http.request({ port: elsewhere.port, agent: plain, headers } as http.RequestOptions)
    await new Promise(resolve => request.on('socket', resolve))
    const error = new Promise(resolve => request.on('error', resolve))
    const { hostname, port } = new URL(url)
    // An agent behind another one gets such requests.
    runInLane('gray', () => agent.addRequest(request, { host: hostname, port: port === '' ? 80 : Number(port) }))
    t.match(await error, { code: 'LANEWAY_HEADERS_SENT' }, name)
    request.destroy()
    plain.destroy()
  }
  t.equal(gray.seen.length + base.seen.length + elsewhere.seen.length, 0)
})
