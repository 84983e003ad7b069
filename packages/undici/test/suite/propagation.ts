import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

const REQUESTS = 66

/** Lanes of the requests in flight: a third untagged, a third gray, a third blue. */
const laneOf = (index: number): string | undefined => [undefined, 'gray', 'blue'][index % 3]

/**
 * Invariants 1 and 2: many requests at once over few connections, with second hops and second attempts. `send` makes one
 * request; the servers compare what arrives with what was meant, which travels beside it.
 */
async function wrongOf(
  t: Test,
  copy: Copy,
  makeDispatcher: (agent: any, resolver: ReturnType<typeof fakeResolver>) => any,
  client: 'request' | 'fetch' = 'request',
): Promise<number> {
  const failedOnce = new Set<string>()
  let wrong = 0
  const serve = (instance: string) =>
    seenServer(t, instance, async (seen, response) => {
      const meant = seen.headers['x-meant'] as string
      if ((seen.tags.join('|') || 'none') !== meant) wrong++
      // An endpoint of a lane serves that lane only, base the rest.
      if (instance !== (meant === 'gray' ? 'gray' : 'base')) wrong++
      await sleep(Math.random() * 5)
      const id = seen.headers['x-id'] as string
      if (!failedOnce.has(id)) {
        failedOnce.add(id)
        if (seen.url === '/again') response.writeHead(503)
        else response.writeHead(302, { location: '/second' })
        response.end()
      } else response.end('ok')
    })
  const base = await serve('base')
  const gray = await serve('gray')
  const resolver = fakeResolver({
    'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
  })
  const dispatcher = makeDispatcher(new copy.undici.Agent({ connections: 2 }), resolver)
  t.teardown(() => dispatcher.destroy())
  await Promise.all(
    Array.from({ length: REQUESTS }, async (_, index) => {
      const lane = laneOf(index)
      const headers = { 'x-meant': lane ?? 'none', 'x-id': String(index) }
      await runInLane(lane, async () => {
        if (client === 'request') {
          const url = index % 2 === 0 ? 'http://sc-b/again' : 'http://sc-b/first'
          const { statusCode, body } = await copy.undici.request(url, { dispatcher, headers })
          t.equal(statusCode, 200)
          await body.dump()
        } else {
          const response = await copy.undici.fetch('http://sc-b/first', { dispatcher, headers })
          t.equal(response.status, 200)
          await response.text()
        }
      })
    }),
  )
  t.equal(resolver.inFlight, 0)
  return wrong
}

export function propagationSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const { retry, redirect } = undici.interceptors
  const retrying = () => retry({ minTimeout: 1, maxTimeout: 2, methods: ['GET'] })

  t.test(
    'the lane is decided in the context of the caller, once, below bounded pools, retries and redirects',
    async t => {
      const wrong = await wrongOf(t, copy, (agent, resolver) =>
        composeLane(agent, { resolver }, retrying(), redirect({ maxRedirections: 3 })),
      )
      t.equal(wrong, 0)
    },
  )

  t.test('control: reading the lane below retry and redirect sends the tags of other requests', async t => {
    const wrong = await wrongOf(t, copy, (agent, resolver) => {
      // What Laneway would do if it decided at the bottom: the ambient lane of whatever context the attempt runs in.
      const bottom = (dispatch: any) => (options: any, handler: any) => {
        const lane = currentLane()
        const origin = `http://${resolver.pick('sc-b', lane).endpoint?.address}`
        // A redirect turns the headers into a flat list.
        const given = Array.isArray(options.headers) ? options.headers : Object.entries(options.headers).flat()
        const headers = lane === undefined ? given : [...given, 'x-mse-tag', lane.header]
        return dispatch({ ...options, origin, headers }, handler)
      }
      return agent.compose(bottom, retrying(), redirect({ maxRedirections: 3 }))
    })
    t.ok(wrong > 0, `${wrong} wrong`)
  })

  t.test('a decision belongs to the handler: a retry composed outside keeps it', async t => {
    const wrong = await wrongOf(t, copy, (agent, resolver) => {
      const lane = composeLane(agent, { resolver }, redirect({ maxRedirections: 3 }))
      // compose() of the result inserts inside, so the prototype's is what stands outside.
      return Object.getPrototypeOf(agent).compose.call(lane, retrying())
    })
    t.equal(wrong, 0)
  })

  t.test('a decision belongs to the handler: a redirect composed outside keeps it', async t => {
    const wrong = await wrongOf(t, copy, (agent, resolver) => {
      const lane = composeLane(agent, { resolver }, retrying())
      return Object.getPrototypeOf(agent).compose.call(lane, redirect({ maxRedirections: 3 }))
    })
    t.equal(wrong, 0)
  })

  t.test('a decision belongs to the handler: a RetryAgent keeps it', async t => {
    const wrong = await wrongOf(t, copy, (agent, resolver) => {
      const lane = composeLane(agent, { resolver }, redirect({ maxRedirections: 3 }))
      return new undici.RetryAgent(lane, { minTimeout: 1, maxTimeout: 2, methods: ['GET'] })
    })
    t.equal(wrong, 0)
  })

  // Each of the two makes a new handler for every dispatch of the one outside it.
  for (const order of ['retry, redirect outermost', 'redirect, retry outermost'] as const) {
    const outer = () => {
      const both = [retrying(), redirect({ maxRedirections: 3 })]
      return order === 'retry, redirect outermost' ? both : both.reverse()
    }
    t.test(`a retry and a redirect that are both outside keep the decision: ${order}`, async t => {
      const wrong = await wrongOf(t, copy, (agent, resolver) =>
        Object.getPrototypeOf(agent).compose.call(composeLane(agent, { resolver }), ...outer()),
      )
      t.equal(wrong, 0)
    })
    t.test(`... with interceptors inside: ${order}`, async t => {
      const passing = (dispatch: any) => (options: any, handler: any) => dispatch(options, handler)
      const wrong = await wrongOf(t, copy, (agent, resolver) =>
        Object.getPrototypeOf(agent).compose.call(composeLane(agent, { resolver }, passing), ...outer()),
      )
      t.equal(wrong, 0)
    })
    t.test(`... with a RetryAgent: ${order}`, async t => {
      const options = { minTimeout: 1, maxTimeout: 2, methods: ['GET'] }
      const wrong = await wrongOf(t, copy, (agent, resolver) => {
        const lane = composeLane(agent, { resolver })
        const { compose } = Object.getPrototypeOf(agent)
        const redirecting = redirect({ maxRedirections: 3 })
        return order === 'retry, redirect outermost'
          ? compose.call(bound(new undici.RetryAgent(lane, options)), redirecting)
          : new undici.RetryAgent(compose.call(lane, redirecting), options)
      })
      t.equal(wrong, 0)
    })
  }

  t.test('compose of the result inserts below the decision', async t => {
    const wrong = await wrongOf(t, copy, (agent, resolver) =>
      composeLane(agent, { resolver }).compose(retrying(), redirect({ maxRedirections: 3 })),
    )
    t.equal(wrong, 0)
  })

  t.test('redirects that fetch follows keep the lane', async t => {
    const wrong = await wrongOf(t, copy, (agent, resolver) => composeLane(agent, { resolver }), 'fetch')
    t.equal(wrong, 0)
  })

  t.test('a decision goes when its handler completes, and is not shared by requests at the same time', async t => {
    const server = await seenServer(t, 'base')
    const agent = new undici.Agent()
    const lane = composeLane(agent)
    t.teardown(() => lane.close())
    const origin = `http://127.0.0.1:${server.port}`
    const modern = copy.major > 6
    let ended = 0
    let notify: () => void = () => {}
    const handler: any = modern
      ? {
          onRequestStart() {},
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd: () => ++ended && notify(),
          onResponseError: (_: unknown, error: Error) => t.fail(error.message),
        }
      : {
          onConnect() {},
          onHeaders: () => true,
          onData: () => true,
          onComplete: () => ++ended && notify(),
          onError: (error: Error) => t.fail(error.message),
        }
    const round = async (lanes: readonly (string | undefined)[]) => {
      ended = 0
      server.seen.length = 0
      const all = new Promise<void>(resolve => {
        notify = () => ended === lanes.length && resolve()
      })
      for (const name of lanes) runInLane(name, () => lane.dispatch({ origin, path: '/', method: 'GET' }, handler))
      await all
      return server.seen.map(one => one.tags.join('|')).sort()
    }
    t.same(await round(['gray']), ['gray'])
    t.same(await round(['blue']), ['blue'], 'one after the other')
    t.same(await round([undefined]), [''])
    t.same(await round(['gray', undefined, 'blue']), ['', 'blue', 'gray'], 'at the same time')
  })

  for (const [kind, prepare] of [
    ['a handler that takes no properties', Object.freeze],
    ['an ordinary handler', (handler: object) => handler],
  ] as const) {
    t.test(`${kind} keeps its decision after a failure, and a copy of it does not have it`, async t => {
      const server = await seenServer(t, 'base', (one, response) => {
        if (server.seen.length === 1) response.socket?.destroy()
        else response.end(one.tags.join('|'))
      })
      const lane = composeLane(new undici.Agent())
      t.teardown(() => lane.close())
      const options = { origin: `http://127.0.0.1:${server.port}`, path: '/', method: 'GET' }
      let notify: () => void = () => {}
      const end = () => notify()
      const made: any =
        copy.major > 6
          ? { onRequestStart() {}, onResponseStart() {}, onResponseData() {}, onResponseEnd: end, onResponseError: end }
          : { onConnect() {}, onHeaders: () => true, onData: () => true, onComplete: end, onError: end }
      const handler = prepare(made)
      const send = (name: string, by: object) =>
        new Promise<void>(resolve => {
          notify = resolve
          runInLane(name, () => lane.dispatch(options, by))
        })
      await send('gray', handler)
      await send('blue', { ...handler })
      await send('blue', handler)
      await send('blue', handler)
      const tags = server.seen.map(one => one.tags.join('|'))
      t.strictSame(tags, ['gray', 'blue', 'gray', 'blue'], 'the third is the retry of the first')
    })
  }

  t.test(
    'an interceptor that drops the symbols of the options does not make Laneway read the context again',
    async t => {
      const server = await seenServer(t, 'base')
      const strange = new AsyncLocalStorage<number>()
      const dropping = (dispatch: any) => (options: any, handler: any) => {
        const copy = Object.fromEntries(Object.entries(options))
        return strange.run(1, () => runInLane('blue', () => dispatch(copy, handler)))
      }
      const dispatcher = composeLane(new undici.Agent(), {}, dropping)
      t.teardown(() => dispatcher.close())
      for (const name of ['gray', undefined]) {
        await runInLane(name, async () => {
          await (await undici.request(`http://127.0.0.1:${server.port}/`, { dispatcher })).body.dump()
        })
      }
      t.same(
        server.seen.map(one => one.tags),
        [['gray'], []],
      )
      t.equal(currentLane(), undefined)
    },
  )

  t.test('the options of the caller are not written to', async t => {
    const server = await seenServer(t, 'base')
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', server.port)] })
    const dispatcher = composeLane(new undici.Agent(), { resolver })
    t.teardown(() => dispatcher.close())
    const headers = Object.freeze({ 'x-a': '1' })
    const options = Object.freeze({ origin: 'http://sc-b', path: '/', method: 'GET' as const, headers })
    await runInLane('gray', async () => await (await dispatcher.request(options)).body.dump())
    t.same(server.seen[0]?.tags, ['gray'])
    t.equal(server.seen[0]?.headers['x-a'], '1')
  })
}

/** A dispatcher that can be composed although it has private fields: undici 7 and 8 compose by a proxy. */
function bound(dispatcher: any): any {
  return new Proxy(dispatcher, {
    get: (target, key) => (typeof target[key] === 'function' ? target[key].bind(target) : target[key]),
  })
}
