import { request } from 'node:http'
import { createStaticSource } from '@laneway/discovery'
import t from 'tap'
import { type ConsoleOptions, startConsole } from '../src/index.js'

interface Answer {
  status: number | undefined
  body: string
  headers: Record<string, unknown>
}

/** Node's fetch forbids some of these headers. */
function ask(url: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode, body: text, headers: response.headers }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

async function start(t: Tap.Test, options: Partial<ConsoleOptions> = {}): Promise<string> {
  const running = await startConsole({
    sources: [createStaticSource({ orders: [{ host: '10.0.0.1', port: 80 }] })],
    ...options,
  })
  t.teardown(() => running.close())
  return running.url
}

declare namespace Tap {
  type Test = { teardown(fn: () => unknown): void }
}

t.test('only names that are known, and addresses, are answered', async t => {
  const url = await start(t, { hostNames: ['Console.example.com'] })
  const { port } = new URL(url)
  for (const [host, status] of [
    [`127.0.0.1:${port}`, 200],
    ['localhost', 200],
    ['LOCALHOST:80', 200],
    ['[::1]:8080', 200],
    ['10.1.2.3', 200],
    ['console.example.com', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['console.example.com@evil.example', 421],
    ['2130706433', 421],
    ['0x7f.1', 421],
  ] as const) {
    t.equal((await ask(url, { host })).status, status, `Host: ${host}`)
  }
})

t.test('pages of other sites are refused, also for what they could not read', async t => {
  const url = await start(t)
  const events = new URL('events', url).href
  t.equal((await ask(events, { 'sec-fetch-site': 'cross-site' })).status, 403)
  t.equal((await ask(events, { 'sec-fetch-site': 'same-site' })).status, 403)
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  t.equal((await ask(url, link)).status, 200, 'a link may lead here')
  t.equal((await ask(url, { ...link, 'sec-fetch-dest': 'iframe' })).status, 403)
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) t.equal((await ask(url, {}, method)).status, 405, method)
  const trace = new URL('api/trace', url).href
  t.equal((await ask(trace, { 'content-type': 'text/plain' }, 'POST', '{}')).status, 403, 'a form cannot send JSON')
  t.equal((await ask(trace)).status, 405)
})

t.test('another address than loopback wants the token, which moves into a cookie', async t => {
  const url = await start(t, { host: '0.0.0.0' })
  const { port, searchParams } = new URL(url)
  const token = searchParams.get('token') ?? ''
  t.ok(token.length >= 32)
  const base = `http://127.0.0.1:${port}/`
  for (const path of ['', 'page.js', 'events', 'api/service?name=orders']) {
    t.equal((await ask(base + path)).status, 401, path)
    t.equal((await ask(base + path, { authorization: `Bearer ${token}x` })).status, 401, path)
  }
  t.equal((await ask(`${base}?token=wrong`)).status, 401)
  const moved = await ask(`${base}?token=${token}`)
  t.match(moved, { status: 303, headers: { location: '/' } })
  const [cookie = ''] = moved.headers['set-cookie'] as string[]
  t.match(cookie, /; HttpOnly; SameSite=Strict; Path=\//)
  t.equal((await ask(base, { cookie: `other=1; ${cookie.split(';')[0]}` })).status, 200)
  t.equal((await ask(`${base}api/service?name=orders`, { authorization: `Bearer ${token}` })).status, 200)
  t.equal((await ask(base, { cookie: 'laneway-console=%' })).status, 401)
  await t.rejects(start(t, { token: 'short' }), { code: 'LANEWAY_INVALID_OPTION', message: /16 visible/ })
  const own = await start(t, { token: 'a-token-of-my-own' })
  t.equal((await ask(own.replace(/\?.*/, ''))).status, 401, 'a token that is given holds on loopback, too')
})

t.test('each answer has a strict policy, and no other path leads to files', async t => {
  const url = await start(t)
  for (const path of ['', 'page.js', 'page.css', 'api/service', 'nothing']) {
    const { headers } = await ask(url + path)
    t.match(headers, {
      'content-security-policy': /^default-src 'none'; script-src 'self'; style-src 'self'/,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    t.notMatch(headers['content-security-policy'], /unsafe/)
  }
  for (const path of [
    '../package.json',
    '%2e%2e/package.json',
    'page/../../package.json',
    'api/constructor',
    'api/__proto__',
    '//evil.example/',
  ]) {
    t.equal((await ask(url + path)).status, 404, path)
  }
})

t.test('a traced request goes to a named entrance and to nobody else', async t => {
  const sent: string[] = []
  const trace = {
    entrances: ['http://gateway:8080'],
    send: async (target: string) => {
      sent.push(target)
      return ['a path']
    },
  }
  const url = await start(t, { trace })
  const post = (body: unknown) =>
    ask(new URL('api/trace', url).href, { 'content-type': 'application/json' }, 'POST', JSON.stringify(body))
  t.match(await post({ entrance: 'http://gateway:8080', path: '/a?b=1' }), {
    status: 200,
    body: '{"lines":["a path"]}',
  })
  for (const body of [
    { entrance: 'http://169.254.169.254', path: '/' },
    { entrance: 'http://gateway:8080', path: '//evil.example/' },
    { entrance: 'http://gateway:8080', path: '/\\evil.example/' },
    { path: '/' },
    null,
    [],
  ]) {
    t.equal((await post(body)).status, 400, JSON.stringify(body))
  }
  t.equal((await ask(new URL('api/trace', url).href, { 'content-type': 'application/json' }, 'POST', '{')).status, 400)
  t.equal((await post({ path: 'x'.repeat(70_000) })).status, 400)
  t.strictSame(sent, ['http://gateway:8080/a?b=1'])
})
