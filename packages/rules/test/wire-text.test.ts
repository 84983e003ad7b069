import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { type Condition, compileRules, type HttpRoute, type RulesRequest, slotOf } from '../src/index.js'
import { createRouteMatcher } from '../src/internal.js'

function laneOf(when: Condition): (request: RulesRequest) => boolean {
  const { laneOf, explain } = compileRules({ version: 1, rules: [{ name: 'r', when, lane: 'gray' }] })
  return request => {
    const held = laneOf(request) !== undefined
    if (held !== (explain(request).decision !== undefined)) throw new Error('explain says another thing')
    return held
  }
}

const holds = (when: Condition, request: Partial<RulesRequest>): boolean => laneOf(when)({ headers: {}, ...request })

/** The conditions of the tables below, against what Node hands over for bytes on a socket. */
t.test('what people write matches its UTF-8 bytes on the wire', async t => {
  const judged: boolean[] = []
  let when: Condition = { path: { exact: '/' } }
  const server = createServer((request, response) => {
    judged.push(laneOf(when)(request))
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  async function send(head: string | Buffer): Promise<boolean> {
    const socket = connect(port, '127.0.0.1')
    socket.end(Buffer.concat([Buffer.from(head), Buffer.from('\r\nconnection: close\r\n\r\n')]))
    socket.resume()
    await once(socket, 'close')
    return judged.pop()!
  }
  const cases: [Condition, string, boolean][] = [
    [{ header: { name: 'x-city', exact: '上海' } }, 'GET / HTTP/1.1\r\nhost: a\r\nx-city: 上海', true],
    [{ header: { name: 'x-city', exact: '上海' } }, 'GET / HTTP/1.1\r\nhost: a\r\nx-city: 上', false],
    [{ header: { name: 'x-city', exact: 'café' } }, 'GET / HTTP/1.1\r\nhost: a\r\nx-city: café', true],
    [{ header: { name: 'x-city', prefix: '上' } }, 'GET / HTTP/1.1\r\nhost: a\r\nx-city: 上海', true],
    [{ header: { name: 'x-city', in: ['北京', '上海', '🦓'] } }, 'GET / HTTP/1.1\r\nhost: a\r\nx-city: 🦓', true],
    [{ header: { name: 'x-city', regex: '(?i)..É' } }, 'GET / HTTP/1.1\r\nhost: a\r\nx-city: 上海é', true],
    [{ cookie: { name: 'city', exact: '上海' } }, 'GET / HTTP/1.1\r\nhost: a\r\ncookie: a=b; city=上海', true],
    [
      { cookie: { name: 'city', exact: '上海' } },
      'GET / HTTP/1.1\r\nhost: a\r\ncookie: city=%E4%B8%8A%e6%b5%b7; city=x',
      true,
    ],
    [{ cookie: { name: '城市', exact: 'a b' } }, 'GET / HTTP/1.1\r\nhost: a\r\ncookie: 城市=a%20b', true],
    [{ cookie: { name: '城市', exact: 'a b' } }, 'GET / HTTP/1.1\r\nhost: a\r\ncookie: %E5%9F%8E%E5%B8%82=a%20b', true],
    [
      { query: { name: '城市', exact: '上海' } },
      'GET /?%E5%9f%8E%E5%B8%82=%E4%B8%8A%E6%B5%B7 HTTP/1.1\r\nhost: a',
      true,
    ],
    [{ query: { name: 'q', regex: '上.' } }, 'GET /?q=%E4%B8%8A%E6%B5%B7 HTTP/1.1\r\nhost: a', true],
    [{ path: { prefix: '/订单' } }, 'GET /%E8%AE%A2%E5%8D%95/1 HTTP/1.1\r\nhost: a', true],
    [{ path: { prefix: '/订单' } }, 'GET /%e8%ae%a2%e5%8d%95 HTTP/1.1\r\nhost: a', true],
    [{ path: { prefix: '/订单' } }, 'GET /%E8%AE%A2%E5%8D%95s HTTP/1.1\r\nhost: a', false],
    [{ path: { exact: '/订单' } }, 'GET http://a/%E8%AE%A2%E5%8D%95?x HTTP/1.1\r\nhost: a', true],
    [{ path: { regex: '/订.' } }, 'GET /%E8%AE%A2%E5%8D%95 HTTP/1.1\r\nhost: a', true],
    [{ path: { regex: '/%E8%AE%A2.*' } }, 'GET /%E8%AE%A2%E5%8D%95 HTTP/1.1\r\nhost: a', true],
    [{ host: { exact: '上海.example' } }, 'GET / HTTP/1.1\r\nhost: xn--fhqz97e.example:80', true],
    [{ host: { exact: '*.上海.example' } }, 'GET / HTTP/1.1\r\nhost: a.xn--fhqz97e.example', true],
    [{ host: { exact: '上海.example' } }, 'GET / HTTP/1.1\r\nhost: 上海.example', true],
    [{ host: { exact: '上海.example' } }, 'GET / HTTP/1.1\r\nhost: XN--FHQZ97E.Example.:80', true],
    [{ host: { exact: 'shop.example' } }, 'GET / HTTP/1.1\r\nhost: Shop.Example.', true],
    [{ host: { exact: 'shop.example.' } }, 'GET / HTTP/1.1\r\nhost: shop.example:8080', true],
    [{ host: { exact: '*.example' } }, 'GET / HTTP/1.1\r\nhost: shop.example.:80', true],
    [{ host: { exact: 'shop.example' } }, 'GET / HTTP/1.1\r\nhost: shop.example..', false],
    [{ host: { regex: '上海\\..*' } }, 'GET / HTTP/1.1\r\nhost: XN--fhqz97e.example', true],
  ]
  for (const [condition, head, expected] of cases) {
    when = condition
    t.equal(await send(head), expected, `${JSON.stringify(condition)} ${head}`)
  }
  when = { header: { name: 'x-city', exact: 'café' } }
  t.equal(await send(Buffer.from('GET / HTTP/1.1\r\nhost: a\r\nx-city: café', 'latin1')), false, 'Latin-1 is not UTF-8')
})

t.test('HTTP/2 hands over bytes too', async t => {
  const judged: boolean[] = []
  const server = createHttp2Server((request, response) => {
    judged.push(
      laneOf({ all: [{ header: { name: 'x-city', exact: '上海' } }, { path: { prefix: '/订单' } }] })(request),
    )
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const city = Buffer.from('上海').toString('latin1')
  const stream = session.request({ ':path': '/%E8%AE%A2%E5%8D%95/1', 'x-city': city }).resume()
  await once(stream, 'close')
  session.close()
  server.close()
  t.same(judged, [true])
})

t.test('a path has one spelling; an escaped slash and an escaped percent sign stay', async t => {
  const cases: [string, string, boolean][] = [
    ['/a b', '/a%20b', true],
    ['/a%20b', '/a%20b', true],
    ['/a%20b', '/a b', true],
    ['/%41', '/A', true],
    ['/a%2Fb', '/a%2fb', true],
    ['/a/b', '/a%2Fb', false],
    ['/a%2Fb', '/a/b', false],
    ['/a%2Fb', '/a%252Fb', false],
    ['/a%252fb', '/a%252fb', true],
    ['/100%', '/100%25', true],
    ['/100%', '/100%', true],
    ['/100%zz', '/100%zz', true],
    ['/%', '/%4', false],
    ['/a/../b', '/a/%2e%2E/b', true],
    ['/b', '/a/%2e%2e/b', false],
    ['/b', '/a/../b', false],
    ['/a/b', '/a//b', false],
    ['/a//b', '/a//b', true],
    ['/a%3Fb', '/a%3fb', true],
    ['/a%3Fb', '/a?b', false],
    ['/a#b', '/a%23b', true],
    ['/a;b', '/a%3bb', true],
    ['/é', '/%E9', false],
    ['/é', '/e%CC%81', false],
    ['/\0', '/%00', true],
  ]
  for (const [exact, url, expected] of cases) t.equal(holds({ path: { exact } }, { url }), expected, `${exact} ${url}`)
  t.equal(holds({ path: { prefix: '/a' } }, { url: '/a%2Fb' }), false, 'no segment ends at an escaped slash')
  t.equal(holds({ not: { path: { prefix: '/public' } } }, { url: '/publi%63/x' }), false)
  t.equal(holds({ path: { regex: '/100%' } }, { url: '/100%25' }), true)
  t.equal(holds({ path: { regex: '/[^/]*' } }, { url: '/a%2Fb' }), true)
})

t.test('a cookie matches as sent or without its escapes; names are not decoded', async t => {
  const cases: [Condition, string, boolean][] = [
    [{ cookie: { name: 'uid', exact: '%41' } }, 'uid=%41', true],
    [{ cookie: { name: 'uid', exact: 'A' } }, 'uid=%41', true],
    [{ cookie: { name: 'uid', exact: 'A' } }, 'uid="%41"', true],
    [{ cookie: { name: 'uid', in: ['x', 'a;b', 'y'] } }, 'uid=a%3Bb', true],
    [{ cookie: { name: 'uid', prefix: 'a ' } }, 'uid=a%20b', true],
    [{ cookie: { name: 'uid', exact: 'a b' } }, 'uid=a+b', false],
    [{ cookie: { name: 'uid', exact: '7' } }, '%75id=7', false],
    [{ cookie: { name: 'uid', exact: '7' } }, 'uid=x; uid=%37', false],
    [{ cookie: { name: 'uid', range: { min: 1 } } }, 'uid=%37', true],
    [{ not: { cookie: { name: 'uid', exact: 'A' } } }, 'uid=%41', false],
  ]
  for (const [when, cookie, expected] of cases) {
    t.equal(holds(when, { headers: { cookie } }), expected, `${JSON.stringify(when)} ${cookie}`)
  }
})

t.test('programs that have decoded their headers are understood', async t => {
  t.ok(holds({ header: { name: 'x', exact: '上海' } }, { headers: { x: '上海' } }))
  t.ok(holds({ header: { name: 'x', prefix: '上' } }, { headers: { x: '上海' } }))
  t.ok(holds({ header: { name: 'x', regex: '上.' } }, { headers: { x: '上海' } }))
  t.ok(holds({ cookie: { name: '城', exact: '上海' } }, { headers: { cookie: '城=上海' } }))
  t.ok(holds({ path: { prefix: '/订单' } }, { url: '/订单/1?城=上' }))
  t.ok(holds({ query: { name: '城', exact: '上' } }, { url: '/订单/1?城=上' }))
})

t.test('any text matches itself, sent as UTF-8 or escaped, through the index and without it', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(text, wanted => {
      const escaped = encodeURIComponent(wanted)
      const bytes = Buffer.from(wanted).toString('latin1')
      const path = `/${wanted.replace(/[?/]/g, '_')}`
      const url = encodeURI(path).replaceAll('#', '%23')
      // The path of a rule may have escapes of its own.
      const inRule = path.replaceAll('%', '%25')
      const some: [Condition, Partial<RulesRequest>][] = [
        [{ path: { exact: inRule } }, { url }],
        [{ path: { prefix: inRule } }, { url: `${url}/x?y` }],
        [{ query: { name: wanted, exact: wanted } }, { url: `/?${escaped}=${escaped}` }],
        [{ cookie: { name: 'c', exact: wanted } }, { headers: { cookie: `b=1; c=${escaped}` } }],
      ]
      if (wanted.trim() === wanted) some.push([{ header: { name: 'h', exact: wanted } }, { headers: { h: bytes } }])
      return some.every(([when, request]) => holds(when, request) && !holds({ not: when }, request))
    }),
    { numRuns: 300, examples: [['%00'], ['%2F'], ['%25'], ['100 %']] },
  )
})

t.test('the slot of a caller is that of the UTF-8 bytes', async t => {
  const { explain } = compileRules({
    version: 1,
    rules: [
      {
        name: 's',
        split: {
          salt: 'salt',
          key: [{ header: 'x-user' }, { cookie: '用户' }, { query: '用户' }],
          lanes: [{ lane: 'gray', from: 0, to: 10_000, percent: 100 }],
        },
      },
    ],
  })
  const bytes = (text: string) => Buffer.from(text).toString('latin1')
  const requests: Partial<RulesRequest>[] = [
    { headers: { 'x-user': bytes('小明') } },
    { headers: { 'x-user': '小明' } },
    { headers: { cookie: bytes('用户=小明') } },
    { headers: {}, url: `/?${encodeURIComponent('用户')}=${encodeURIComponent('小明')}` },
  ]
  for (const request of requests) {
    t.equal(explain({ headers: {}, ...request }).rules[0]?.slot, slotOf('salt', '小明'), JSON.stringify(request))
  }
})

t.test('routes: the longer path goes first, however both are written', async t => {
  const route = (name: string, value: string): HttpRoute =>
    ({ kind: 'HTTPRoute', metadata: { name }, spec: { rules: [{ matches: [{ path: { value } }] }] } }) as never
  const match = createRouteMatcher([route('short', '/%E8%AE%A2%E5%8D%95'), route('long', '/订单/v2')])
  const nameAt = (url: string) => match({ headers: {}, url })?.route.metadata?.name
  t.equal(nameAt('/%E8%AE%A2%E5%8D%95/v2/x'), 'long')
  t.equal(nameAt('/%E8%AE%A2%E5%8D%95/v3'), 'short')
  t.equal(nameAt('/%E8%AE%A2%E5%8D%95%2Fv2'), undefined)
})
