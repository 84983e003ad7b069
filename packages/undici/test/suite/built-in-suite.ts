import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLane, runInLane } from '@laneway/core'
import { listen } from '@laneway/testkit'
import { egressSuite, endpoint, fakeResolver, type Seen, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { internal } from '../../src/dispatcher/internals.js'
import { composeLane, createLaneFetch } from '../../src/index.js'
import { builtInDispatcher } from '../../src/lane-fetch.js'
import { laneFetchAdapter } from './egress-adapters.js'

const builtIn = Number.parseInt(process.versions['undici'] ?? '0', 10)

/** `createLaneFetch` on the fetch of the Node that runs this; nothing of undici is imported before. */
export function builtInSuite(t: Test): void {
  t.test(laneFetchAdapter.name, t => egressSuite(t, laneFetchAdapter))

  async function setUp(t: Test) {
    const base = await seenServer(t, 'base')
    const gray = await seenServer(t, 'gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    return { base, gray, resolver, laneFetch: createLaneFetch({ resolver, warn: () => {} }) }
  }

  t.test('the source of a body runs in the lane of its caller, however late undici reads it', async t => {
    const { laneFetch } = await setUp(t)
    let wrong = 0
    let pulled = 0
    await Promise.all(
      Array.from({ length: 24 }, (_, index) => {
        const lane = [undefined, 'gray', 'blue'][index % 3]
        return runInLane(lane, async () => {
          let left = 3
          const body = new ReadableStream({
            async pull(controller) {
              pulled++
              if (currentLane()?.header !== lane) wrong++
              await sleep(1)
              if (left-- > 0) controller.enqueue(Buffer.from('part'))
              else controller.close()
            },
          })
          const answer = await laneFetch('http://sc-b/', { method: 'POST', body, duplex: 'half' } as never)
          if (currentLane()?.header !== lane) wrong++
          t.match(await answer.json(), { tags: lane === undefined ? [] : [lane], body: 'partpartpart' })
        })
      }),
    )
    t.equal(pulled, 24 * 4)
    t.equal(wrong, 0)
  })

  t.test('each call goes to its lane and carries its tag', async t => {
    const { laneFetch, resolver } = await setUp(t)
    const call = async (...args: Parameters<typeof laneFetch>) => (await (await laneFetch(...args)).json()) as Seen
    t.match(await runInLane('gray', () => call('http://sc-b/x?y=1')), {
      instance: 'gray',
      tags: ['gray'],
      host: 'sc-b',
      url: '/x?y=1',
    })
    t.match(await runInLane('blue', () => call(new URL('http://sc-b/'))), { instance: 'base', tags: ['blue'] })
    t.match(await call(new Request('http://sc-b/')), { instance: 'base', tags: [] })
    t.match(await call('http://sc-b/', { headers: { 'X-Mse-Tag': 'gray' } }), { instance: 'gray', tags: ['gray'] })
    t.match(await runInLane('gray', () => call('http://sc-b/', { method: 'POST', body: 'text' })), {
      instance: 'gray',
      body: 'text',
    })
    t.equal(resolver.inFlight, 0)
  })

  t.test('many at once, with redirects: wrong 0', async t => {
    let wrong = 0
    const serve = (instance: string) =>
      seenServer(t, instance, async (seen, response) => {
        const meant = seen.headers['x-meant']
        if ((seen.tags.join('|') || 'none') !== meant || instance !== (meant === 'gray' ? 'gray' : 'base')) wrong++
        await sleep(Math.random() * 5)
        if (seen.url === '/') response.writeHead(302, { location: '/second' })
        response.end()
      })
    const base = await serve('base')
    const gray = await serve('gray')
    const laneFetch = createLaneFetch({
      resolver: fakeResolver({ 'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')] }),
    })
    await Promise.all(
      Array.from({ length: 66 }, (_, index) => {
        const lane = [undefined, 'gray', 'blue'][index % 3]
        return runInLane(lane, async () => {
          const response = await laneFetch('http://sc-b/', { headers: { 'x-meant': lane ?? 'none' } })
          t.equal(response.url, 'http://sc-b/second')
          await response.text()
        })
      }),
    )
    t.equal(wrong, 0)
    t.equal(base.seen.length + gray.seen.length, 132)
  })

  t.test('pools of vanished endpoints are closed', async t => {
    const { resolver, laneFetch } = await setUp(t)
    const pools = internal(builtInDispatcher('test'), 'clients') as Map<string, unknown>
    await (await laneFetch('http://sc-b/')).text()
    const before = pools.size
    resolver.set('sc-b', [])
    t.equal(pools.size, before - 1)
  })

  t.test('a dispatcher of another undici works or is refused at once', async t => {
    const { base } = await setUp(t)
    const url = `http://127.0.0.1:${base.port}/`
    const six = await import('undici6')
    const seven = await import('undici')
    const cases: [string, any, boolean][] = [
      ['undici 6', new six.Agent(), builtIn < 8],
      ['undici 7', new seven.Agent(), true],
      ['undici 6 with retry', new six.Agent(), builtIn < 8],
    ]
    if (Number.parseInt(process.versions.node, 10) >= 22) {
      const eight = await import('undici8')
      cases.push(['undici 8', new eight.Agent(), builtIn >= 8])
    }
    for (const [title, agent, works] of cases) {
      const dispatcher: any = title.endsWith('retry')
        ? composeLane(agent, {}, six.interceptors.retry({ maxRetries: 2 }))
        : composeLane(agent)
      const answer = fetch(url, { dispatcher } as never)
      if (works) t.equal(((await (await answer).json()) as Seen).instance, 'base', title)
      else await t.rejects(answer, { cause: { code: 'LANEWAY_UNDICI_MISMATCH', message: /createLaneFetch/ } }, title)
      await dispatcher.close()
    }
    // Whatever copies were loaded meanwhile: the built-in one still has its own way.
    t.equal(((await (await createLaneFetch()(url)).json()) as Seen).instance, 'base')
  })

  t.test(
    'the global dispatcher of this moment is used: a proxy from the environment sees third parties only',
    async t => {
      const { laneFetch, gray } = await setUp(t)
      const asked: unknown[] = []
      // undici 8 asks for plain http in absolute form, the others tunnel.
      const proxy = createServer((request, response) => {
        asked.push(request.headers.host)
        response.end('proxied')
      })
      proxy.on('connect', (request, socket) => {
        asked.push(request.url?.replace(/:80$/, ''))
        socket.end('HTTP/1.1 502 No\r\n\r\n')
      })
      const port = await listen(t, proxy)
      const { EnvHttpProxyAgent } = (
        builtIn >= 8 ? await import('undici8') : await import('undici')
      ) as typeof import('undici')
      const dispatcher: any = new EnvHttpProxyAgent({ httpProxy: `http://127.0.0.1:${port}` })
      t.teardown(() => dispatcher.destroy())
      const answer = await runInLane('gray', () => laneFetch('http://sc-b/', { dispatcher } as never))
      t.match(await answer.json(), { instance: 'gray' })
      const third = laneFetch('http://third.example/', { dispatcher } as never)
      if (builtIn >= 8) t.equal(await (await third).text(), 'proxied')
      else await t.rejects(third)
      t.same(asked, ['third.example'])
      t.equal(gray.seen.length, 1)
    },
  )

  t.test('a dispatcher of one origin rejects', async t => {
    const { Client } = (builtIn >= 8 ? await import('undici8') : await import('undici')) as typeof import('undici')
    const client = new Client('http://127.0.0.1:9')
    await t.rejects(createLaneFetch()('http://sc-b/', { dispatcher: client } as never), {
      code: 'LANEWAY_NOT_AN_AGENT',
    })
    await client.close()
  })

  t.test('options that do not exist are refused', t => {
    t.throws(() => createLaneFetch({ routesByOrigin: true } as never), { code: 'LANEWAY_INVALID_OPTION' })
    t.end()
  })
}
