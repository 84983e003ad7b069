import http from 'node:http'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type EndpointInput, type Source } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { createAgentPatch } from '@laneway/http/internal'
import { cert } from '@laneway/testkit/certificate'
import axios from 'axios'
import got from 'got'
import t, { type Test } from 'tap'
import { farServer, send } from './far-server.js'

/** A service with a plain base and a gray instance that speaks TLS; its certificate names `sc-b`. */
async function mixed(t: Test, source: (endpoints: readonly EndpointInput[]) => Source, service = 'sc-b') {
  const base = await farServer(t)
  const gray = await farServer(t, undefined, true)
  const endpoints = [
    { host: '127.0.0.1', port: base.port },
    { host: '127.0.0.1', port: gray.port, tags: ['gray'], secure: true },
  ]
  const resolver = createLaneResolver({ sources: [source(endpoints)], env: {} })
  t.teardown(() => resolver.close())
  return { base, gray, resolver, url: `http://${service}/a` }
}

const known = (endpoints: readonly EndpointInput[]) => createStaticSource({ 'sc-b': endpoints })

/** Answers only after the first call has been made. */
const late = (endpoints: readonly EndpointInput[]): Source => ({
  name: 'late',
  subscribe(_service, listener) {
    const timer = setTimeout(() => listener.snapshot(endpoints), 50)
    return () => clearTimeout(timer)
  },
  async close() {},
})

const clients: Record<string, (url: string, agent: http.Agent) => PromiseLike<unknown>> = {
  'http.get': (url: string, agent: http.Agent) => send(url, { agent }),
  axios: (url: string, agent: http.Agent) => axios.get(url, { httpAgent: agent, proxy: false }),
  got: (url: string, agent: http.Agent) => got(url, { agent: { http: agent }, retry: { limit: 0 } }),
}

for (const [name, call] of Object.entries(clients)) {
  for (const [when, source] of Object.entries({ known, 'asked for by the call': late })) {
    t.test(`${name}, a service that is ${when}: plain base and TLS gray have one URL`, async t => {
      const { base, gray, resolver, url } = await mixed(t, source)
      const agent = new LaneAgent({ resolver, endpointTls: { ca: cert } })
      t.teardown(() => agent.destroy())
      await Promise.all([runInLane('gray', call, url, agent), call(url, agent), runInLane('gray', call, url, agent)])
      await runInLane('gray', call, url, agent)
      t.strictSame(
        gray.seen.map(one => `${one.host} ${one.servername} ${one.tags}`),
        Array(3).fill('sc-b sc-b gray'),
      )
      t.strictSame(
        base.seen.map(one => `${one.host} ${one.servername} ${one.tags}`),
        ['sc-b undefined '],
      )
    })
  }
}

t.test("an app's own agent, under the patch", async t => {
  const { base, gray, resolver, url } = await mixed(t, late)
  class Own extends http.Agent {}
  createAgentPatch({ resolver, endpointTls: { ca: cert } }, error => t.fail(String(error))).patchAgents(Own.prototype)
  const agent = new Own({ keepAlive: true })
  t.teardown(() => agent.destroy())
  for (const lane of ['gray', undefined, 'gray']) await runInLane(lane, send, url, { agent })
  t.strictSame([gray.seen.length, base.seen.length], [2, 1])
})

t.test('trust: without the CA a TLS instance is not believed, and servername names another certificate', async t => {
  const { gray, resolver, url } = await mixed(t, known)
  const call = (endpointTls: object | undefined) => {
    const agent = new LaneAgent({ resolver, ...(endpointTls !== undefined && { endpointTls }) })
    t.teardown(() => agent.destroy())
    return runInLane('gray', send, url, { agent })
  }
  await t.rejects(call(undefined), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  await t.rejects(call({ ca: cert, servername: 'other' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  await call({ ca: cert, servername: 'localhost' })
  t.strictSame(
    gray.seen.map(one => one.servername),
    ['localhost'],
  )
  t.throws(() => new LaneAgent({ endpointTls: { cA: cert } as never }), {
    message: /endpointTls has no option "cA", did you mean "ca"/,
  })
})
