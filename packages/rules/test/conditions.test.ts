import t from 'tap'
import { type Condition, compileRules, forwardedAddress, type RulesOptions, type RulesRequest } from '../src/index.js'

function holds(when: Condition, request: RulesRequest, options?: RulesOptions): boolean {
  return compileRules({ version: 1, rules: [{ name: 'r', when, lane: 'gray' }] }, options).laneOf(request) !== undefined
}

const get = (url: string, headers: RulesRequest['headers'] = {}): RulesRequest => ({ method: 'GET', url, headers })

t.test('a path is compared without its escapes and its query', async t => {
  const cases: [Condition, string | undefined, boolean][] = [
    [{ path: { exact: '/a' } }, '/a', true],
    [{ path: { exact: '/a' } }, '/a?b=/c', true],
    [{ path: { exact: '/a' } }, '/A', false],
    [{ path: { exact: '/a' } }, '/a/', false],
    [{ path: { exact: '/a' } }, 'http://shop.example/a?b', true],
    [{ path: { exact: '/a' } }, 'https://u@[::1]:80/a', true],
    [{ path: { exact: '/' } }, 'http://shop.example', true],
    [{ path: { exact: '/' } }, 'http://shop.example?a', true],
    [{ path: { exact: '/a b' } }, '/a%20b', true],
    [{ path: { prefix: '/v2' } }, '/v2', true],
    [{ path: { prefix: '/v2' } }, '/v2/', true],
    [{ path: { prefix: '/v2/' } }, '/v2', true],
    [{ path: { prefix: '/v2' } }, '/v2/a/b', true],
    [{ path: { prefix: '/v2' } }, '/v2a', false],
    [{ path: { prefix: '/v2' } }, '/v', false],
    [{ not: { path: { prefix: '/v2' } } }, '/v2a', true],
    [{ not: { path: { prefix: '/v2/' } } }, '/v2/a', false],
    [{ path: { prefix: '/v2' } }, '/a/v2', false],
    [{ path: { prefix: '/a/b' } }, '/a/b/c', true],
    [{ path: { prefix: '/a/b' } }, '/a/bc', false],
    [{ path: { prefix: '/' } }, '/any', true],
    [{ path: { prefix: '/' } }, '*', false],
    [{ path: { prefix: '/' } }, undefined, false],
    [{ path: { in: ['/a', '/b', '/c'] } }, '/b', true],
    [{ path: { in: ['/a', '/b', '/c'] } }, '/d', false],
    [{ path: { regex: '/users/[0-9]+' } }, '/users/12?x', true],
    [{ path: { regex: '/users/[0-9]+' } }, '/users/12/x', false],
  ]
  for (const [when, url, expected] of cases) {
    t.equal(holds(when, { headers: {}, method: 'GET', url }), expected, `${JSON.stringify(when)} ${url}`)
  }
  t.ok(holds({ path: { exact: '/api/a' } }, { ...get('/a'), originalUrl: '/api/a?x' }), 'a mounted router')
})

t.test('a header is found in any case, and compared in its own', async t => {
  const cases: [Condition, RulesRequest['headers'], boolean][] = [
    [{ header: { name: 'X-User', exact: 'xiaoming' } }, { 'x-user': 'xiaoming' }, true],
    [{ header: { name: 'X-User', exact: 'xiaoming' } }, { 'x-user': 'Xiaoming' }, false],
    [{ header: { name: 'User-Agent', exact: 'xiaoming' } }, { 'user-agent': 'xiaoming/1.0' }, false],
    [{ header: { name: 'x', exact: 'xiaoming' } }, { x: ['a', 'xiaoming'] }, false],
    [{ header: { name: 'x', exact: 'a, b' } }, { x: ['a', 'b'] }, true],
    [{ header: { name: 'x', exact: '' } }, { x: '' }, true],
    [{ header: { name: 'x', exact: '' } }, {}, false],
    [{ header: { name: 'x', prefix: 'ab' } }, { x: 'abc' }, true],
    [{ header: { name: 'x', prefix: 'ab' } }, { x: 'a' }, false],
    [{ header: { name: 'x', in: ['a', 'b', 'c'] } }, { x: 'b' }, true],
    [{ header: { name: 'x', in: ['a', 'b', 'c'] } }, { x: 'a,b' }, false],
    [{ header: { name: 'x', exists: true } }, { x: '' }, true],
    [{ header: { name: 'x', exists: true } }, { y: '' }, false],
    [{ header: { name: 'x', exists: false } }, { y: '' }, true],
    [{ header: { name: 'x', exists: false } }, { x: '' }, false],
    [{ header: { name: 'x', regex: 'xiao(ming|hong)' } }, { x: 'xiaohong' }, true],
    [{ header: { name: 'x', regex: 'xiao(ming|hong)' } }, { x: 'xiaohong ' }, false],
    [{ header: { name: 'x', regex: '(?i)GRAY' } }, { x: 'gray' }, true],
    [{ header: { name: 'x', regex: 'a*' } }, { x: 'a'.repeat(4096) }, true],
    [{ header: { name: 'x', regex: 'a*' } }, { x: 'a'.repeat(4097) }, false],
    [{ header: { name: '__proto__', exists: true } }, {}, false],
    [{ header: { name: 'constructor', exists: true } }, {}, false],
    [{ not: { header: { name: 'x', exact: 'a' } } }, { x: 'b' }, true],
    [{ not: { header: { name: 'x', exact: 'a' } } }, {}, true],
    [{ not: { header: { name: 'x', exact: 'a' } } }, { x: 'a' }, false],
  ]
  for (const [when, headers, expected] of cases) {
    t.equal(holds(when, get('/', headers)), expected, `${JSON.stringify(when)} ${JSON.stringify(headers).slice(0, 60)}`)
  }
})

t.test('a range takes plain decimals, both bounds included', async t => {
  const when = (min?: number, max?: number): Condition => ({
    header: {
      name: 'x',
      range: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
    },
  })
  const cases: [Condition, string, boolean][] = [
    [when(10, 20), '10', true],
    [when(10, 20), '20', true],
    [when(10, 20), '9.99', false],
    [when(10, 20), '20.01', false],
    [when(10), '1000000', true],
    [when(undefined, -1), '-1', true],
    [when(undefined, -1), '0', false],
    [when(0, 20), '', false],
    [when(0, 20), ' 5', false],
    [when(0, 20), '5 ', false],
    [when(0, 20), '0x5', false],
    [when(0, 20), '1e1', false],
    [when(0, 20), 'NaN', false],
    [when(0), 'Infinity', false],
    [when(0), '1'.repeat(40), false],
  ]
  for (const [condition, value, expected] of cases) {
    t.equal(holds(condition, get('/', { x: value })), expected, `${JSON.stringify(condition)} ${value}`)
  }
})

t.test('a query parameter is decoded as a form, and the first of its name counts', async t => {
  const cases: [Condition, string, boolean][] = [
    [{ query: { name: 'a', exact: 'b' } }, '/?a=b', true],
    [{ query: { name: 'a', exact: 'b' } }, '/?a=c&a=b', false],
    [{ query: { name: 'a', exact: 'b' } }, '/?A=b', false],
    [{ query: { name: 'a', exact: 'b c' } }, '/?x&a=b+c', true],
    [{ query: { name: 'a', exact: 'b c' } }, '/?a=b%20c', true],
    [{ query: { name: 'a b', exact: '小' } }, '/?a%20b=%E5%B0%8F', true],
    [{ query: { name: 'a', exact: '%zz' } }, '/?a=%zz', true],
    [{ query: { name: 'a', exact: '' } }, '/?a', true],
    [{ query: { name: 'a', exact: 'b=c' } }, '/?a=b=c', true],
    [{ query: { name: 'a', exists: true } }, '/?b&&a&c', true],
    [{ query: { name: 'a', exists: true } }, '/', false],
    [{ query: { name: '__proto__', exact: 'x' } }, '/?__proto__=x', true],
    [{ query: { name: 'a', in: ['1', '2', '3'] } }, '/?a=2', true],
  ]
  for (const [when, url, expected] of cases) t.equal(holds(when, get(url)), expected, `${JSON.stringify(when)} ${url}`)
})

t.test('a cookie is compared as sent, and the first of its name counts', async t => {
  const cases: [Condition, string | undefined, boolean][] = [
    [{ cookie: { name: 'uid', exact: '7' } }, 'a=1; uid=7; b=2', true],
    [{ cookie: { name: 'uid', exact: '7' } }, 'a=1;uid=7', true],
    [{ cookie: { name: 'uid', exact: '7' } }, 'uid="7"', true],
    [{ cookie: { name: 'uid', exact: '7' } }, 'uid=8; uid=7', false],
    [{ cookie: { name: 'uid', exact: '7' } }, 'xuid=7', false],
    [{ cookie: { name: 'uid', exact: '7' } }, 'UID=7', false],
    [{ cookie: { name: 'uid', exact: 'a=b' } }, 'uid=a=b', true],
    [{ cookie: { name: 'uid', exact: '%41' } }, 'uid=%41', true],
    [{ cookie: { name: 'uid', exists: true } }, 'uid', false],
    [{ cookie: { name: 'uid', exists: true } }, 'uid=', true],
    [{ cookie: { name: 'uid', exists: false } }, undefined, true],
    [{ cookie: { name: '__proto__', exact: 'x' } }, '__proto__=x', true],
  ]
  for (const [when, cookie, expected] of cases) {
    t.equal(
      holds(when, get('/', cookie === undefined ? {} : { cookie })),
      expected,
      `${JSON.stringify(when)} ${cookie}`,
    )
  }
})

t.test('a host is compared without case and port, and a wildcard stands for labels in front', async t => {
  const cases: [Condition, RulesRequest['headers'], boolean][] = [
    [{ host: { exact: 'Shop.example' } }, { host: 'shop.EXAMPLE:8080' }, true],
    [{ host: { exact: 'shop.example' } }, { ':authority': 'shop.example' }, true],
    [{ host: { exact: '[::1]' } }, { host: '[::1]:80' }, true],
    [{ host: { exact: '[::1]' } }, { host: '[::1]' }, true],
    [{ host: { exact: '*.example' } }, { host: 'a.b.example' }, true],
    [{ host: { exact: '*.example' } }, { host: 'example' }, false],
    [{ host: { exact: '*.example' } }, { host: '.example' }, false],
    [{ host: { in: ['a.example', '*.b.example', 'c.example'] } }, { host: 'x.b.example' }, true],
    [{ host: { in: ['a.example', '*.b.example', 'c.example'] } }, { host: 'c.example' }, true],
    [{ host: { exists: true } }, {}, false],
  ]
  for (const [when, headers, expected] of cases) {
    t.equal(holds(when, get('/', headers)), expected, `${JSON.stringify(when)} ${JSON.stringify(headers)}`)
  }
})

t.test('a client address is the peer of the socket, IPv4 inside IPv6 counts as IPv4', async t => {
  const cases: [Condition, string | undefined, boolean][] = [
    [{ address: { exact: '10.0.0.7' } }, '10.0.0.7', true],
    [{ address: { exact: '10.0.0.7' } }, '::ffff:10.0.0.7', true],
    [{ address: { exact: '10.0.0.7' } }, '10.0.0.70', false],
    [{ address: { in: ['192.168.0.0/16', '10.0.0.0/8', '2001:db8::/32'] } }, '10.255.0.1', true],
    [{ address: { in: ['192.168.0.0/16', '10.0.0.0/8', '2001:db8::/32'] } }, '2001:db8::1', true],
    [{ address: { in: ['192.168.0.0/16', '10.0.0.0/8', '2001:db8::/32'] } }, '11.0.0.1', false],
    [{ address: { in: ['fe80::/10'] } }, 'fe80::1%eth0', true],
    [{ address: { range: { min: '10.0.0.5', max: '10.0.0.9' } } }, '10.0.0.9', true],
    [{ address: { range: { min: '10.0.0.5', max: '10.0.0.9' } } }, '10.0.0.10', false],
    [{ address: { exists: true } }, undefined, false],
    [{ address: { exists: false } }, 'not an address', true],
    [{ not: { address: { in: ['10.0.0.0/8'] } } }, undefined, true],
  ]
  for (const [when, remoteAddress, expected] of cases) {
    t.equal(
      holds(when, { headers: {}, socket: { remoteAddress } }),
      expected,
      `${JSON.stringify(when)} ${remoteAddress}`,
    )
  }
})

t.test('behind proxies the address is the entry of the outermost one', async t => {
  const when: Condition = { address: { exact: '10.0.0.7' } }
  const cases: [number, string | undefined, boolean][] = [
    [1, '10.0.0.7', true],
    [1, '6.6.6.6, 10.0.0.7', true],
    [1, '10.0.0.7, 6.6.6.6', false],
    [2, '10.0.0.7, 6.6.6.6', true],
    [2, '1.1.1.1,10.0.0.7,6.6.6.6', true],
    [2, '10.0.0.7', false],
    [3, ',', false],
    [1, undefined, false],
  ]
  for (const [proxies, value, expected] of cases) {
    const headers = value === undefined ? {} : { 'x-forwarded-for': value }
    t.equal(
      holds(when, get('/', headers), { clientAddress: forwardedAddress(proxies) }),
      expected,
      `${proxies} ${value}`,
    )
  }
  for (const wrong of [0, -1, 1.5, Number.NaN, '1']) {
    t.throws(() => forwardedAddress(wrong as number), { code: 'LANEWAY_INVALID_OPTION' })
  }
  const clientAddress = () => {
    throw new Error('no')
  }
  t.notOk(holds(when, get('/'), { clientAddress }), 'a reader that throws knows none')
})

t.test('a method is compared in its own case', async t => {
  t.ok(holds({ method: { in: ['GET', 'HEAD', 'POST'] } }, get('/')))
  t.notOk(holds({ method: { exact: 'POST' } }, get('/')))
  t.notOk(holds({ method: { exact: 'GET' } }, { headers: {}, method: 'get' }))
  t.notOk(holds({ method: { exact: 'GET' } }, { headers: {} }))
})

t.test('all, any and not combine', async t => {
  const has = (name: string): Condition => ({ header: { name, exists: true } })
  const when: Condition = { all: [has('a'), { any: [has('b'), { not: has('c') }, has('d')] }, has('e')] }
  for (let bits = 0; bits < 32; bits++) {
    const sent = ['a', 'b', 'c', 'd', 'e'].filter((_, index) => bits & (1 << index))
    const on = (name: string): boolean => sent.includes(name)
    const expected = on('a') && (on('b') || !on('c') || on('d')) && on('e')
    t.equal(holds(when, get('/', Object.fromEntries(sent.map(name => [name, '1'])))), expected, sent.join(''))
  }
})
