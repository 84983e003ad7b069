import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import { composeLane, createLaneFetch } from '@laneway/undici'
import t, { type Test } from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'

/** A service with a plain base and a gray instance that speaks TLS; its certificate names `sc-b`. */
async function mixed(t: Test) {
  const seen: string[] = []
  const note = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
    const { servername } = request.socket as TLSSocket & { servername?: string }
    seen.push(`${name} ${request.headers.host} ${servername ?? 'plain'} ${request.headers['x-mse-tag'] ?? '-'}`)
    response.end(name)
  }
  const base = await listen(t, createServer(note('base')))
  const gray = await listen(t, createSecureServer({ key, cert }, note('gray')))
  const source = createStaticSource({
    'sc-b': [
      { host: '127.0.0.1', port: base },
      { host: '127.0.0.1', port: gray, tags: ['gray'], secure: true },
    ],
  })
  // A handshake that fails is a failure to connect, after which base would serve.
  const resolver = createLaneResolver({ sources: [source], env: {}, whenLaneUnavailable: 'fail' })
  t.teardown(() => resolver.close())
  return { seen, resolver }
}

const copies: Record<string, any> = { 'undici 6': undici6, 'undici 7': undici7 }
// Of undici 8, Node 20 cannot load a part.
if (Number(process.versions.node.split('.')[0]) >= 22) copies['undici 8'] = await import('undici8' as string)

for (const [name, undici] of Object.entries(copies)) {
  t.test(`${name}: plain base and TLS gray have one URL`, async t => {
    const { seen, resolver } = await mixed(t)
    const dispatcher = composeLane(new undici.Agent(), { resolver, endpointTls: { ca: cert } })
    t.teardown(() => dispatcher.destroy())
    const call = async () => (await undici.request('http://sc-b/a', { dispatcher })).body.text()
    for (const lane of ['gray', undefined, 'gray']) {
      t.equal(await runInLane(lane, call), lane ?? 'base')
    }
    t.strictSame(seen, ['gray sc-b sc-b gray', 'base sc-b plain -', 'gray sc-b sc-b gray'])
  })

  t.test(`${name}: trust is that of the options, else that of the dispatcher`, async t => {
    const { seen, resolver } = await mixed(t)
    const call = async (agentOptions: object, endpointTls?: object) => {
      const dispatcher = composeLane(new undici.Agent(agentOptions), {
        resolver,
        ...(endpointTls !== undefined && { endpointTls }),
      })
      t.teardown(() => dispatcher.destroy())
      return runInLane('gray', async () => (await undici.request('http://sc-b/a', { dispatcher })).body.text())
    }
    await t.rejects(call({}), { code: 'LANEWAY_LANE_REQUIRED', cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } })
    await t.rejects(call({}, { ca: cert, servername: 'other' }), { cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
    t.equal(await call({}, { ca: cert, servername: 'localhost' }), 'gray')
    t.equal(await call({ connect: { ca: cert } }), 'gray')
    t.strictSame(seen, ['gray sc-b localhost gray', 'gray sc-b sc-b gray'])
  })
}

t.test('the built-in fetch', async t => {
  const { seen, resolver } = await mixed(t)
  const laneFetch = createLaneFetch({ resolver, endpointTls: { ca: cert } })
  const call = async () => (await laneFetch('http://sc-b/a')).text()
  t.equal(await runInLane('gray', call), 'gray')
  t.equal(await call(), 'base')
  t.strictSame(seen, ['gray sc-b sc-b gray', 'base sc-b plain -'])
})
