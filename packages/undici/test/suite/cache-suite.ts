import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'
import { composeLane } from '../../src/index.js'
import type { Copy } from './undici-copy.js'

export function cacheSuite(t: Test, copy: Copy): void {
  const { undici } = copy
  const { cache, deduplicate } = undici.interceptors as unknown as Record<string, undefined | ((options?: any) => any)>

  async function setUp(t: Test, interceptor: any, where: 'inside' | 'by compose') {
    const answers: (() => void)[] = []
    const serve = (instance: string) =>
      seenServer(t, instance, (seen, response) => {
        response.setHeader('cache-control', 'public, max-age=600')
        response.setHeader('vary', 'accept')
        const answer = () => response.end(`${instance} ${seen.tags.join()}`)
        if (seen.url === '/held') answers.push(answer)
        else answer()
      })
    const base = await serve('base')
    const gray = await serve('gray')
    const resolver = fakeResolver({
      'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    })
    const dispatcher =
      where === 'inside'
        ? composeLane(new undici.Agent(), { resolver }, interceptor)
        : composeLane(new undici.Agent(), { resolver }).compose(interceptor)
    t.teardown(() => dispatcher.close())
    const get = (lane: string | undefined, path = '/') =>
      runInLane(lane, async () => (await undici.request(`http://sc-b${path}`, { dispatcher })).body.text())
    return { base, gray, get, answers }
  }

  for (const where of ['inside', 'by compose'] as const) {
    t.test(`a response never crosses lanes: cache() ${where}`, async t => {
      if (cache === undefined) return t.pass('this undici has no cache', { skip: true })
      const { base, gray, get } = await setUp(t, cache(), where)
      for (let turn = 0; turn < 3; turn++) {
        t.equal(await get('gray'), 'gray gray')
        t.equal(await get(undefined), 'base ')
        t.equal(await get('blue'), 'base blue')
      }
      t.same([gray.seen.length, base.seen.length], [1, 2], 'each lane has its own entry, and it is used')
    })

    t.test(`a response never crosses lanes: deduplicate() ${where}`, async t => {
      if (deduplicate === undefined) return t.pass('this undici does not deduplicate', { skip: true })
      const { base, gray, get, answers } = await setUp(t, deduplicate(), where)
      const all = Promise.all([
        get('gray', '/held'),
        get('gray', '/held'),
        get(undefined, '/held'),
        get('blue', '/held'),
      ])
      while (answers.length < 3) await new Promise(setImmediate)
      for (const answer of answers) answer()
      t.same(await all, ['gray gray', 'gray gray', 'base ', 'base blue'])
      t.same([gray.seen.length, base.seen.length], [1, 2])
    })
  }

  t.test('control: a cache below Laneway, where no Vary is, mixes lanes', async t => {
    if (cache === undefined) return t.pass('this undici has no cache', { skip: true })
    const server = await seenServer(t, 'base', (seen, response) => {
      response.setHeader('cache-control', 'public, max-age=600')
      response.end(seen.tags.join())
    })
    const resolver = fakeResolver({ 'sc-b': [endpoint('127.0.0.1', server.port)] })
    const warnings: string[] = []
    const dispatcher = composeLane(new undici.Agent().compose(cache()), {
      resolver,
      routesByOrigin: true,
      warn: message => warnings.push(message),
    })
    t.teardown(() => dispatcher.close())
    const get = (lane: string | undefined) =>
      runInLane(lane, async () => (await undici.request('http://sc-b/', { dispatcher })).body.text())
    t.same([await get('gray'), await get(undefined)], ['gray', 'gray'])
    t.match(warnings, [/composed before/])
  })

  t.test('interceptors see Vary added to the answer, and the program does not', async t => {
    const server = await seenServer(t, 'base', (seen, response) => {
      if (seen.url !== '/none') response.setHeader('vary', seen.url === '/two' ? ['accept', 'origin'] : 'Accept')
      response.end()
    })
    const tags: unknown[] = []
    const inside: string[] = []
    const note = (headers: any) => {
      const raw = Array.isArray(headers)
        ? headers.flatMap((name, index) => (String(name).toLowerCase() === 'vary' ? [String(headers[index + 1])] : []))
        : [headers.vary ?? []].flat()
      inside.push(raw.join(', ').toLowerCase())
    }
    const noting = (dispatch: any) => (options: any, handler: any) => {
      tags.push(options.headers['x-mse-tag'])
      const spied = new Proxy(handler, {
        get(target, key) {
          if (key === 'onHeaders' && target.onHeaders !== undefined) {
            return (status: number, headers: unknown, ...rest: unknown[]) => {
              note(headers)
              return target.onHeaders(status, headers, ...rest)
            }
          }
          if (key === 'onResponseStart' && target.onResponseStart !== undefined) {
            return (controller: unknown, status: number, headers: unknown, ...rest: unknown[]) => {
              note(headers)
              return target.onResponseStart(controller, status, headers, ...rest)
            }
          }
          const value = target[key]
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      return dispatch(options, spied)
    }
    const plain = new undici.Agent()
    t.teardown(() => plain.close())
    for (const path of ['/none', '/one', '/two']) {
      const url = `http://127.0.0.1:${server.port}${path}`
      const varyThrough = async (dispatcher: any) => {
        const { headers, body } = await undici.request(url, { dispatcher })
        await body.dump()
        return headers['vary']
      }
      const own = await varyThrough(plain)
      for (const interceptors of [[], [noting]]) {
        inside.length = 0
        const dispatcher = composeLane(new undici.Agent(), {}, ...interceptors)
        const seen = await runInLane('gray', () => varyThrough(dispatcher))
        t.equal([seen ?? []].flat().join(', '), [own ?? []].flat().join(', '), `${path}, outside`)
        const expected = [own ?? [], 'x-mse-tag'].flat().join(', ').toLowerCase()
        t.same(inside, interceptors.length === 0 ? [] : [expected], `${path}, inside`)
        await dispatcher.close()
      }
    }
    t.same(tags, ['gray', 'gray', 'gray'], 'interceptors see the tag')
  })

  t.test('an answer from a cache has the headers of the server', async t => {
    if (cache === undefined) return t.pass('this undici has no cache', { skip: true })
    const server = await seenServer(t, 'base', (_seen, response) => {
      response.writeHead(200, { vary: 'accept', 'cache-control': 'public, max-age=600' }).end('kept')
    })
    const dispatcher = composeLane(new undici.Agent(), {}, cache())
    t.teardown(() => dispatcher.close())
    for (let round = 0; round < 3; round++) {
      const { headers, body } = await runInLane('gray', () =>
        undici.request(`http://127.0.0.1:${server.port}/`, { dispatcher }),
      )
      t.equal(await body.text(), 'kept')
      t.equal(headers['vary'], 'accept')
    }
    t.equal(server.seen.length, 1)
  })
}
