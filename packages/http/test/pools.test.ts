import { once } from 'node:events'
import http, { type AgentOptions } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { runInLane } from '@laneway/core'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { cert } from '@laneway/testkit/certificate'
import { type FakeResolver, fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { closedPort, farServer, send } from './far-server.js'

function agentFor(t: Test, resolver: FakeResolver, agentOptions: AgentOptions = {}): LaneAgent {
  const agent = new LaneAgent({ resolver, warn: () => {} }, agentOptions)
  t.teardown(() => agent.destroy())
  return agent
}

const count = (sockets: NodeJS.ReadOnlyDict<unknown[]>) =>
  Object.values(sockets).reduce((sum, list) => sum + (list?.length ?? 0), 0)

t.test('connections are pooled per endpoint and kept alive', async t => {
  const one = await farServer(t)
  const two = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: one.port }, { port: two.port }] })
  const agent = agentFor(t, resolver)
  for (let round = 0; round < 6; round++) await send('http://sc-b/', { agent })
  t.strictSame(
    [one.seen, two.seen].map(seen => seen.map(({ socket }) => socket)),
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
  )
  t.equal(count(agent.freeSockets), 2)
})

t.test('two services at one endpoint share its connections, each with its own Host', async t => {
  const far = await farServer(t)
  const agent = agentFor(t, fakeResolver({ 'sc-b': [{ port: far.port }], 'sc-c': [{ port: far.port }] }))
  await runInLane('gray', send, 'http://sc-b/', { agent })
  await send('http://sc-c/', { agent })
  t.strictSame(
    far.seen.map(one => [one.host, one.socket, one.tags]),
    [
      ['sc-b', 0, ['gray']],
      ['sc-c', 0, []],
    ],
  )
})

t.test('maxSockets holds per endpoint, and what waits is served in order and in its lane', async t => {
  let open = 0
  let most = 0
  const far = await farServer(t, (_seen, _request, response) => {
    most = Math.max(most, far.connections())
    open++
    setImmediate(() => response.end())
  })
  const resolver = fakeResolver({ 'sc-b': [{ port: far.port }] })
  const agent = agentFor(t, resolver, { maxSockets: 2 })
  const tags = Array.from({ length: 12 }, (_, index) => ['gray', undefined, 'blue'][index % 3])
  await Promise.all(tags.map((tag, index) => runInLane(tag, send, `http://sc-b/${index}`, { agent })))
  t.equal(open, 12)
  t.equal(most, 2)
  for (const { url, tags: lines } of far.seen) t.strictSame(lines, [tags[Number(url.slice(1))]].filter(Boolean), url)
  t.equal(resolver.ends.filter(one => one.end === 'ok').length, 12)
  t.equal(count(agent.requests), 0)
})

t.test('requests that wait for a connection to an endpoint that cannot be reached move on', async t => {
  const base = await farServer(t)
  const dead = { port: await closedPort(), tag: 'gray' }
  const resolver = fakeResolver({ 'sc-b': [dead, { port: base.port }] })
  for (const agentOptions of [{ maxSockets: 1 }, { maxTotalSockets: 1 }]) {
    const agent = agentFor(t, resolver, agentOptions)
    const urls = Array.from({ length: 6 }, (_, index) => `http://sc-b/${index}`)
    await Promise.all(urls.map((url, index) => runInLane(index % 2 === 0 ? 'gray' : undefined, send, url, { agent })))
    t.strictSame(
      base.seen
        .splice(0)
        .map(one => `${one.url} ${one.tags}`)
        .sort(),
      ['/0 gray', '/1 ', '/2 gray', '/3 ', '/4 gray', '/5 '],
      JSON.stringify(agentOptions),
    )
    // Connections above the limit, which came from another endpoint, are closed after their request.
    while (count(agent.sockets) > 0) await new Promise(setImmediate)
    t.equal(count(agent.requests), 0)
  }
  t.equal(resolver.starts.length, resolver.ends.length)
})

t.test('a request that is given up in the queue gives its place to the next', async t => {
  let release = () => {}
  const far = await farServer(t, (seen, _request, response) => {
    if (seen.url === '/first') release = () => response.end()
    else response.end()
  })
  const agent = agentFor(t, fakeResolver({ 'sc-b': [{ port: far.port }] }), { maxSockets: 1 })
  const first = send('http://sc-b/first', { agent })
  while (far.seen.length === 0) await new Promise(setImmediate)
  const control = new AbortController()
  const given = send('http://sc-b/given-up', { agent, signal: control.signal }).catch(error => error)
  const last = send('http://sc-b/last', { agent })
  await new Promise(setImmediate)
  control.abort()
  release()
  await Promise.all([first, last])
  t.match(await given, { name: 'AbortError' })
  t.strictSame(
    far.seen.map(one => one.url),
    ['/first', '/last'],
  )
})

t.test('idle connections of an endpoint that has left are closed at once, busy ones after their request', async t => {
  let release = () => {}
  const gone = await farServer(t, (seen, _request, response) => {
    if (seen.url === '/slow') release = () => response.end('slow')
    else response.end('quick')
  })
  const stays = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: gone.port }], 'sc-c': [{ port: stays.port }] })
  const agent = agentFor(t, resolver)
  const slow = send('http://sc-b/slow', { agent })
  await Promise.all([send('http://sc-b/quick', { agent }), send('http://sc-c/', { agent })])
  t.equal(count(agent.freeSockets), 2)
  const closed = connectionsDown(gone.server, 1)
  resolver.gone(gone.port)
  await closed
  t.equal(count(agent.freeSockets), 1)
  release()
  t.equal((await slow).text, 'slow', 'what was under way is answered')
  while (count(agent.sockets) > 0) await new Promise(setImmediate)
  t.equal(count(agent.freeSockets), 1, 'only the endpoint that stays keeps its connection')
  await connectionsDown(gone.server, 0)
})

t.test('an endpoint that comes back is kept alive again', async t => {
  const far = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: far.port }] })
  const agent = agentFor(t, resolver)
  await send('http://sc-b/', { agent })
  resolver.gone(far.port)
  await send('http://sc-b/', { agent })
  await send('http://sc-b/', { agent })
  t.strictSame(
    far.seen.map(one => one.socket),
    [0, 1, 1],
  )
})

t.test('2,000 endpoints come and go: what is kept is what is live', async t => {
  const live = 20
  const servers: Server[] = []
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  // One server behind 2,000 loopback addresses: as many ports would take longer to open than to use.
  const server = createServer(socket => socket.on('data', () => socket.write(answer)))
  servers.push(server)
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  let open = 0
  server.on('connection', socket => {
    open++
    socket.on('error', () => {})
    socket.on('close', () => open--)
  })
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const host = (index: number) => `127.1.${index >> 8}.${index & 255}`
  const resolver = fakeResolver({ 'sc-b': [] })
  const agent = agentFor(t, resolver)
  let most = 0
  for (let index = 1; index <= 2000; index++) {
    resolver.services['sc-b'] = [{ host: host(index), port }]
    if (index > live) resolver.gone(port, host(index - live))
    await send('http://sc-b/', { agent })
    most = Math.max(most, count(agent.freeSockets) + count(agent.sockets))
  }
  t.ok(most <= live + 10, `at most ${most} for ${live} live endpoints`)
  t.equal(count(agent.freeSockets), live)
  t.equal(Object.keys(agent.freeSockets).length + Object.keys(agent.sockets).length, live, 'no empty pool is left')
  while (open > live) await new Promise(setImmediate)
  t.equal(open, live)
})

t.test('destroy() closes the connections and lets go of the resolver; the agent can still be used', async t => {
  const far = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: far.port }] })
  const agent = agentFor(t, resolver)
  t.equal(resolver.listeners(), 0, 'nothing is held before the first connection')
  await send('http://sc-b/', { agent })
  t.equal(resolver.listeners(), 1)
  agent.destroy()
  t.equal(resolver.listeners(), 0)
  await send('http://sc-b/', { agent })
  t.equal(resolver.listeners(), 1)
})

t.test('https: server name, Host and certificate checks are those of the logical name, per endpoint', async t => {
  const one = await farServer(t, undefined, true)
  const two = await farServer(t, undefined, true)
  const resolver = fakeResolver({
    'sc-b': [{ port: one.port }, { port: two.port }],
    // The certificate does not name it.
    'sc-c': [{ port: one.port }],
  })
  const agent = new LaneHttpsAgent({ resolver }, { ca: cert })
  t.teardown(() => agent.destroy())
  for (let round = 0; round < 4; round++) await runInLane('gray', send, 'https://sc-b/', { agent })
  await send('https://sc-b/', { agent, headers: ['Host', 'sc-b'] as never })
  for (const far of [one, two]) {
    t.ok(far.seen.length >= 2)
    for (const { host, servername, socket } of far.seen) {
      t.strictSame({ host, servername, socket }, { host: 'sc-b', servername: 'sc-b', socket: 0 })
    }
  }
  await t.rejects(send('https://sc-c/', { agent }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  t.strictSame(resolver.ends.at(-1)?.end, 'connect-error')
  t.equal(resolver.starts.length, 6, 'a certificate that does not fit is not retried')
})

t.test('an IPv6 endpoint is reached', async t => {
  const seen: unknown[] = []
  const server = http.createServer((request, response) => {
    seen.push([request.headers.host, request.headers['x-mse-tag'], request.socket.localAddress])
    response.end()
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const agent = agentFor(t, fakeResolver({ 'sc-b': [{ host: '::1', port, tag: 'gray' }] }))
  await runInLane('gray', send, 'http://sc-b/', { agent })
  t.strictSame(seen, [['sc-b', 'gray', '::1']])
})

/** Resolves when a server has no more than so many connections. */
function connectionsDown(server: http.Server | import('node:https').Server, to: number): Promise<void> {
  return new Promise(resolve => {
    const look = () => server.getConnections((_error, open) => (open <= to ? resolve() : setImmediate(look)))
    look()
  })
}
