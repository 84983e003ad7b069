import http from 'node:http'
import { createServer, type Socket } from 'node:net'
import { createLaneResolver, createStaticSource, type LaneResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { listen } from '@laneway/testkit'
import { fakeResolver } from '@laneway/testkit/egress'
import axios from 'axios'
import got from 'got'
import t, { type Test } from 'tap'
import { closedPort, farServer } from './far-server.js'

/** Accepts connections and never says a word, as a stopped process does. Tells when it was asked. */
async function frozen(t: Test): Promise<{ port: number; asked: number; onAsked: () => void }> {
  const server = { port: 0, asked: 0, onAsked: () => {} }
  const sockets = new Set<Socket>()
  const far = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => {
      server.asked++
      server.onAsked()
    })
  })
  server.port = await listen(t, far)
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  return server
}

const MS = 200
/** A caller that waits no longer than that, by the means of each client. */
const patience: Record<string, (agent: http.Agent) => Promise<unknown>> = {
  'the timeout option of http.get': agent => {
    const request = http.get('http://sc-b/', { agent, timeout: MS })
    request.on('timeout', () => request.destroy())
    return answered(request)
  },
  'request.setTimeout': agent => {
    const request = http.get('http://sc-b/', { agent })
    request.setTimeout(MS, () => request.destroy(new Error('too late')))
    return answered(request)
  },
  'AbortSignal.timeout': agent => answered(http.get('http://sc-b/', { agent, signal: AbortSignal.timeout(MS) })),
  axios: agent => axios.get('http://sc-b/', { httpAgent: agent, proxy: false, timeout: MS }),
  'axios without redirects': agent =>
    axios.get('http://sc-b/', { httpAgent: agent, proxy: false, timeout: MS, maxRedirects: 0 }),
  got: agent => got('http://sc-b/', { agent: { http: agent }, timeout: { request: MS }, retry: { limit: 0 } }),
}

function answered(request: http.ClientRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    request.on('response', answer => answer.resume().on('end', resolve).on('error', reject)).on('error', reject)
  })
}

function agentFor(t: Test, resolver: object, options: object = {}, agentOptions: object = {}): LaneAgent {
  const agent = new LaneAgent({ resolver: resolver as LaneResolver, warn() {}, ...options }, agentOptions)
  t.teardown(() => agent.destroy())
  return agent
}

for (const [how, ask] of Object.entries(patience)) {
  t.test(`a frozen instance gets no more requests after five that had no answer in time: ${how}`, async t => {
    const stopped = await frozen(t)
    const alive = await farServer(t)
    const endpoints = [stopped, alive].map(({ port }) => ({ host: '127.0.0.1', port }))
    const resolver = createLaneResolver({
      sources: [createStaticSource({ 'sc-b': endpoints })],
      services: ['sc-b'],
      outlier: { ejectionMs: 60_000, maxEjectionMs: 60_000 },
      balancer: 'round-robin',
    })
    t.teardown(() => resolver.close())
    await resolver.ready('sc-b')
    const agent = agentFor(t, resolver)
    for (let turn = 0; turn < 10; turn++) await ask(agent).catch(() => {})
    t.equal(resolver.state('sc-b')?.base.ejected, 1)
    const asked = stopped.asked
    t.ok(asked > 0)
    const before = alive.seen.length
    for (let turn = 0; turn < 10; turn++) await ask(agent).catch(() => {})
    t.equal(stopped.asked, asked)
    t.equal(alive.seen.length - before, 10)
  })
}

t.test('a call that the user aborts does not count against the instance, however long it took', async t => {
  const stopped = await frozen(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: stopped.port }] })
  const agent = agentFor(t, resolver)
  const endOf = async (request: http.ClientRequest, giveUp: () => void) => {
    stopped.onAsked = giveUp
    await answered(request).catch(() => {})
    return resolver.ends.at(-1)?.end
  }
  const plain = http.get('http://sc-b/', { agent })
  t.equal(await endOf(plain, () => plain.destroy()), 'aborted')
  const why = http.get('http://sc-b/', { agent })
  t.equal(await endOf(why, () => why.destroy(new Error('too late'))), 'aborted', 'a reason of its own')
  const control = new AbortController()
  t.equal(await endOf(http.get('http://sc-b/', { agent, signal: control.signal }), () => control.abort()), 'aborted')
  const patient = http.get('http://sc-b/', { agent, timeout: 20 })
  // Idle for longer than it said, but that was not why it gave up.
  patient.once('timeout', () => setImmediate(() => patient.destroy()))
  t.equal(await endOf(patient, () => {}), 'aborted')
})

t.test('time is up, but not for want of an answer of this instance', async t => {
  const begun = await farServer(t, (_seen, _request, response) => response.writeHead(200).write('first'))
  const stopped = await frozen(t)
  const resolver = fakeResolver({
    begun: [{ port: begun.port }],
    moved: [{ port: await closedPort() }, { port: stopped.port }],
    busy: [{ port: (await frozen(t)).port }],
  })
  const agent = agentFor(t, resolver, {}, { maxSockets: 1 })
  const ends = async (...urls: string[]) => {
    resolver.ends.length = 0
    await Promise.all(
      urls.map(url => answered(http.get(url, { agent, signal: AbortSignal.timeout(MS) })).catch(() => {})),
    )
    return resolver.ends.map(({ end }) => end)
  }
  t.strictSame(await ends('http://begun/'), ['ok'], 'its answer had begun')
  t.strictSame(await ends('http://moved/'), ['connect-error', 'aborted'], 'another one had used some of the time')
  t.strictSame((await ends('http://busy/', 'http://busy/')).sort(), ['aborted', 'timeout'], 'one never had a socket')
})

t.test('a connection that does not come in the time of the request is an instance that does not answer', async t => {
  const resolver = fakeResolver({ 'sc-b': [{ host: 'slow.example', port: 9 }] })
  const agent = agentFor(t, resolver, { connectTimeoutMs: 60_000 }, { lookup: () => {} })
  const request = http.get('http://sc-b/', { agent, timeout: 30 })
  request.on('timeout', () => request.destroy())
  await answered(request).catch(() => {})
  t.match(resolver.ends, [{ end: 'timeout' }])
})
