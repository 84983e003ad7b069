import { LanewayError, runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import { type Copy, loopback } from './undici-copy.js'

export function refusalSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const origin = 'http://127.0.0.1:9'
  const resolver = fakeResolver({})

  t.test('a dispatcher of one origin is refused, with or without a wrapper around it', async t => {
    const agent = new undici.MockAgent()
    const refused: Record<string, any> = {
      Client: new undici.Client(origin),
      Pool: new undici.Pool(origin),
      BalancedPool: new undici.BalancedPool([origin]),
      MockPool: agent.get(origin),
      'RetryAgent over a Client': new undici.RetryAgent(new undici.Client(origin)),
      'RetryAgent over a Pool': new undici.RetryAgent(new undici.Pool(origin)),
      'a subclass of Pool': new (class Mine extends undici.Pool {})(origin),
      nothing: undefined,
      'an Agent class': undici.Agent,
    }
    for (const [title, dispatcher] of Object.entries(refused)) {
      t.throws(() => composeLane(dispatcher, { resolver }), { code: 'LANEWAY_NOT_AN_AGENT' }, title)
    }
    // The MockAgent closes its pool.
    delete refused['MockPool']
    for (const one of Object.values(refused)) if (typeof one?.destroy === 'function') await one.destroy()
    await agent.close()
  })

  t.test('what routes by origin is accepted', async t => {
    const accepted: Record<string, any> = {
      Agent: new undici.Agent(),
      ProxyAgent: new undici.ProxyAgent(origin),
      EnvHttpProxyAgent: new undici.EnvHttpProxyAgent({ httpProxy: origin }),
      MockAgent: new undici.MockAgent(),
      'RetryAgent over an Agent': new undici.RetryAgent(new undici.Agent()),
      'a subclass of Agent': new (class Mine extends undici.Agent {})(),
      'a lane dispatcher': composeLane(new undici.Agent()),
    }
    for (const [title, dispatcher] of Object.entries(accepted)) {
      t.doesNotThrow(() => composeLane(dispatcher, { resolver, warn: message => t.fail(message) }), title)
      await dispatcher.close()
    }
    const own = { dispatch: () => true, close() {}, destroy() {} }
    t.throws(() => composeLane(own), { code: 'LANEWAY_NOT_AN_AGENT' })
    t.doesNotThrow(() => composeLane(own, { routesByOrigin: true }))
    t.doesNotThrow(() => composeLane({ ...own, routesByOrigin: true }))
  })

  t.test('a proxy that Laneway cannot go around is refused when endpoints are to be chosen', async t => {
    const proxied = new undici.RetryAgent(new undici.ProxyAgent(origin))
    t.throws(() => composeLane(proxied, { resolver }), { code: 'LANEWAY_NOT_AN_AGENT', message: /ProxyAgent/ })
    t.doesNotThrow(() => composeLane(proxied))
    await proxied.close()
  })

  t.test('a handler of another generation is refused at once, and the message says what to do', async t => {
    const server = await seenServer(t, 'base')
    const url = `http://127.0.0.1:${server.port}/`
    const { retry } = undici.interceptors
    for (const interceptors of [[], [retry({ maxRetries: 1, minTimeout: 1 })]]) {
      const dispatcher = composeLane(new undici.Agent(), {}, ...interceptors)
      const seen: any[] = []
      const options = { origin: url.slice(0, -1), path: '/', method: 'GET' as const }
      if (copy.major === 6) {
        const modern: any = {
          onRequestStart: () => seen.push('started'),
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd: () => seen.push('ended'),
          onResponseError: (_controller: unknown, error: unknown) => seen.push(error),
        }
        dispatcher.dispatch(options, modern)
      } else if (copy.major === 8) {
        const legacy: any = {
          onConnect: () => seen.push('started'),
          onHeaders: () => true,
          onData: () => true,
          onComplete: () => seen.push('ended'),
          onError: (error: unknown) => seen.push(error),
        }
        dispatcher.dispatch(options, legacy)
      } else {
        // undici 7 takes both.
        const answer = await fetchFromBuiltIn(url, dispatcher)
        t.equal(answer.status, 200)
        await answer.text()
        await dispatcher.close()
        continue
      }
      t.equal(seen.length, 1, 'synchronously')
      t.ok(seen[0] instanceof LanewayError)
      t.match(seen[0], { code: 'LANEWAY_UNDICI_MISMATCH', message: /createLaneFetch\(\)/ })
      await dispatcher.close()
    }
  })

  t.test('interceptors.dns() is refused', async t => {
    const { dns } = undici.interceptors as { dns?: () => any }
    if (dns === undefined) return t.pass('this undici has none', { skip: true })
    const agent = new undici.Agent()
    t.throws(() => composeLane(agent, {}, dns()), { code: 'LANEWAY_INVALID_OPTION', message: /dns/ })
    t.throws(() => composeLane(agent).compose(dns()), { code: 'LANEWAY_INVALID_OPTION', message: /dns/ })
    await agent.close()
  })

  t.test('interceptors below Laneway are warned about', async t => {
    const warnings: string[] = []
    const composed = new undici.Agent().compose(undici.interceptors.retry())
    composeLane(composed, { routesByOrigin: true, warn: message => warnings.push(message) })
    t.match(warnings, [/composed before/])
    await composed.close()
  })

  t.test('options that do not exist or have no sense are refused', t => {
    const agent = new undici.Agent()
    t.teardown(() => agent.close())
    for (const [options, message] of [
      [{ resolvr: resolver }, /did you mean "resolver"/],
      [{ propagateTo: ['http://x/'] }, /propagateTo/],
      [{ header: 'a b' }, /header/],
      [{ keepHandSet: 'yes' }, /keepHandSet/],
      [{ resolver: {} }, /createLaneResolver/],
    ] as const) {
      t.throws(() => composeLane(agent, options as never), { code: 'LANEWAY_INVALID_OPTION', message })
    }
    t.end()
  })

  t.test('two lane dispatchers over each other decide once', async t => {
    const server = await seenServer(t, 'gray')
    // The endpoint has a name that is out of scope: who decides again takes the tag away.
    const inner = composeLane(new undici.Agent({ connect: { lookup: loopback as never } }), { warn: () => {} })
    const outer = composeLane(
      inner,
      { resolver: fakeResolver({ 'sc-b': [endpoint('instance-7.example', server.port, 'gray')] }) },
      undici.interceptors.retry(),
    )
    t.teardown(() => outer.close())
    await runInLane('gray', async () => (await undici.request('http://sc-b/', { dispatcher: outer })).body.dump())
    t.match(server.seen, [{ tags: ['gray'], host: 'sc-b' }])
  })

  t.test('closing the result closes what was given, by promise and by callback', async t => {
    for (const how of ['close', 'destroy'] as const) {
      const agent = new undici.Agent()
      await composeLane(agent, { resolver })[how]()
      t.equal((agent as unknown as { destroyed: boolean }).destroyed, true)
      const other = new undici.Agent()
      await new Promise<void>(resolve => (composeLane(other, { resolver })[how] as any)(resolve))
      t.equal((other as unknown as { destroyed: boolean }).destroyed, true)
    }
  })
}

function fetchFromBuiltIn(url: string, dispatcher: unknown): Promise<Response> {
  return fetch(url, { dispatcher } as never)
}
