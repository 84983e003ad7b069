import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createNacosClient, createNacosSource, type NacosClient, type NacosClientOptions } from '../src/index.js'
import { server } from './harness.js'
import { ok, type RawServer, refused } from './raw-server.js'

interface Http {
  /** Path and form of each login. */
  readonly logins: { path: string; form: Record<string, string> }[]
  answer: (path: string, form: Record<string, string>) => { status: number; body?: unknown }
}

/** An HTTP side and, as far away as Nacos has it, a gRPC side that wants the token `current`. */
async function secured(t: Test): Promise<{
  http: Http
  nacos: RawServer
  current: { token: string }
  client(options?: Partial<NacosClientOptions>): NacosClient
}> {
  const nacos = await server(t)
  const current = { token: 't1' }
  const http: Http = {
    logins: [],
    answer: () => ({ status: 200, body: { accessToken: current.token, tokenTtl: 18_000, globalAdmin: true } }),
  }
  const web = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => (text += chunk))
    request.on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(text))
      http.logins.push({ path: request.url!, form })
      const { status, body } = http.answer(request.url!, form)
      response.writeHead(status).end(JSON.stringify(body ?? { status }))
    })
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => web.close())
  const { port } = web.address() as AddressInfo
  for (const type of ['SubscribeService', 'ServiceQuery', 'ConfigQuery', 'Instance']) {
    nacos.handlers[`${type}Request`] = ({ headers, body }) => {
      const answer = type === 'ServiceQuery' ? 'QueryServiceResponse' : `${type}Response`
      // As Java servers do: the typed answer, with a text that differs by version.
      if (headers['accessToken'] !== current.token) return refused(403, 'Code: 401, Message: token expired!.', answer)
      return ok(answer, { serviceInfo: { name: body.serviceName, hosts: [] } })
    }
  }
  return {
    http,
    nacos,
    current,
    client: options => {
      const made = createNacosClient({
        servers: `127.0.0.1:${port}`,
        grpcPortOffset: nacos.port - port,
        username: 'nacos',
        password: 'p&ss=1',
        warn: () => {},
        redoIntervalMs: 30,
        maxReconnectDelayMs: 50,
        ...options,
      })
      t.teardown(() => made.close())
      return made
    },
  }
}

t.test('the v3 login comes first, its token goes with each request, and the password never into a URL', async t => {
  const { http, nacos, client } = await secured(t)
  const made = client()
  await Promise.all(['a', 'b', 'c'].map(service => made.naming.query({ service })))
  t.same(http.logins, [{ path: '/nacos/v3/auth/user/login', form: { username: 'nacos', password: 'p&ss=1' } }])
  t.ok(
    nacos.received
      .filter(({ type }) => type === 'ServiceQueryRequest')
      .every(({ headers }) => headers['accessToken'] === 't1'),
  )
  t.equal((await nacos.message('ServerCheckRequest')).headers['accessToken'], undefined, 'the handshake needs none')
})

t.test('a server without the v3 login (404, 410, 501, 500) is asked the v1 way', async t => {
  for (const status of [404, 410, 501, 500]) {
    const { http, current, client } = await secured(t)
    http.answer = path =>
      path.includes('/v1/') ? { status: 200, body: { accessToken: current.token, tokenTtl: 10 } } : { status }
    await client().naming.query({ service: 'a' })
    t.same(
      http.logins.map(({ path }) => path),
      ['/nacos/v3/auth/user/login', '/nacos/v1/auth/users/login'],
      `${status}`,
    )
  }
})

t.test('a wrong password is told as such, and not tried at every request', async t => {
  const { http, client } = await secured(t)
  http.answer = () => ({ status: 403 })
  const made = client()
  const expected = { code: 'LANEWAY_AUTH', message: /login of "nacos" failed: .*HTTP 403/ }
  for (const service of ['a', 'b', 'c']) await t.rejects(made.naming.query({ service }), expected)
  t.equal(http.logins.length, 1, 'the next attempt waits for its pause')
})

t.test('a refused login is said once, readable, with what to do, and never with the password', async t => {
  const now = () => new Date().toISOString()
  const page = (status: number) => ({ status, body: { timestamp: now(), status, error: 'x', path: '/nacos/login' } })
  const fix =
    'look at username and password (LANEWAY_NACOS_USERNAME, LANEWAY_NACOS_PASSWORD or LANEWAY_NACOS_PASSWORD_FILE)'
  const v3 = '/v3/auth/user/login'
  const v1 = '/v1/auth/users/login'
  type Answer = { status: number; body?: unknown }
  const cases: [name: string, v3: Answer, v1: Answer, path: string, said: string][] = [
    ['an unknown user of Nacos 3', page(403), page(500), v3, `HTTP 403; ${fix}`],
    [
      'a wrong password of Nacos 3',
      page(500),
      page(500),
      v1,
      `HTTP 500; ${fix}; Nacos answers HTTP 500 to a wrong password, and when its database is down`,
    ],
    ['a wrong password of Nacos 2', { status: 404 }, { status: 403 }, v1, `HTTP 403; ${fix}`],
    ['an older path that is gone', page(500), { status: 410 }, v3, 'HTTP 500; '],
    [
      'a server that gives its reason',
      { status: 403, body: { code: 403, message: 'access denied', data: 'unknown user!' } },
      { status: 403 },
      v3,
      `HTTP 403 (unknown user!); ${fix}`,
    ],
    [
      'a proxy that shows what it was sent',
      { status: 401, body: { message: 'no entry with secret-p@ss or secret-p%40ss' } },
      { status: 401 },
      v3,
      `HTTP 401 (no entry with *** or ***); ${fix}`,
    ],
  ]
  for (const [name, newer, older, path, said] of cases) {
    const { http, client } = await secured(t)
    http.answer = asked => (asked.includes(v3) ? newer : older)
    const warnings: string[] = []
    let later = 0
    const made = client({ password: 'secret-p@ss', warn: text => warnings.push(text), now: () => Date.now() + later })
    for (const attempt of [1, 2, 3]) {
      const before = http.logins.length
      const error = (await made.naming.query({ service: 'a' }).catch(error => error)) as Error
      t.match(error, { code: 'LANEWAY_AUTH' }, name)
      const start = `LANEWAY_AUTH: login of "nacos" failed: http://host/nacos${path} answered ${said}`
      t.ok(
        error.message.replace(/127\.0\.0\.1:\d+/, 'host').startsWith(start),
        `${name}, attempt ${attempt}: ${error.message}`,
      )
      t.notMatch(error.message, /timestamp|secret/)
      t.ok(http.logins.length > before, 'it was asked anew')
      later += 60_000
    }
    t.equal(warnings.length, 1, `${name}: ${warnings.join(' | ')}`)
  }
})

t.test('a server that wants a login, and nobody gave one', async t => {
  const { client } = await secured(t)
  const made = client({ username: undefined, password: undefined } as never)
  await t.rejects(made.naming.query({ service: 'a' }), {
    code: 'LANEWAY_AUTH',
    message:
      /^LANEWAY_AUTH: Nacos wants a login: ServiceQueryRequest: .*; give username and password \(LANEWAY_NACOS_USERNAME, /,
  })
})

t.test('a source whose list and services are refused is not connected, until something is answered', async t => {
  const { http, nacos, client } = await secured(t)
  const good = http.answer
  http.answer = () => ({ status: 403 })
  let later = 0
  const source = createNacosSource(client({ now: () => Date.now() + later, redoIntervalMs: 10 }))
  t.teardown(() => source.close())
  const told: number[] = []
  source.subscribe('a', { snapshot: list => told.push(list.length), missing: () => {}, stale: () => {} })
  await nacos.until(() => source.connection?.()?.connected === false)
  t.match(source.connection?.(), { error: { code: 'LANEWAY_AUTH' } })
  http.answer = good
  later = 60_000
  await nacos.until(() => told.length > 0)
  t.same(source.connection?.(), { connected: true })
})

t.test('an expired token (403): one login, the request is repeated, the subscription lives on', async t => {
  const { http, nacos, current, client } = await secured(t)
  let later = 0
  const made = client({ now: () => Date.now() + later })
  const lists: number[] = []
  made.naming.subscribe({ service: 'a' }, { info: info => lists.push(info.instances.length), lost: () => {} })
  await nacos.until(() => lists.length === 1)
  // A token that is refused right after its login has no permission; this one is older.
  later = 60_000
  current.token = 't2'
  await Promise.all(['b', 'c', 'd'].map(service => made.naming.query({ service })))
  t.equal(http.logins.length, 2)
  nacos.open[0]!.push('NotifySubscriberRequest', {
    requestId: '1',
    serviceInfo: { name: 'a', hosts: [{ ip: '10.0.0.1', port: 1 }], lastRefTime: 9e12 },
  })
  await nacos.until(() => lists.length === 2)
  t.equal(nacos.connections.length, 1)
})

t.test('no permission with a fresh token is an error at once, without another login', async t => {
  const { http, nacos, client } = await secured(t)
  nacos.handlers['ServiceQueryRequest'] = () => refused(403, 'authorization failed!', 'QueryServiceResponse')
  await t.rejects(client().naming.query({ service: 'a' }), { code: 'LANEWAY_AUTH', message: /authorization failed/ })
  t.equal(http.logins.length, 1)
})

t.test('the token is renewed before its end', async t => {
  const { http, nacos, current, client } = await secured(t)
  http.answer = () => ({ status: 200, body: { accessToken: current.token, tokenTtl: 0.2 } })
  await client().naming.query({ service: 'a' })
  await nacos.until(() => http.logins.length >= 3)
})

t.test('a login that is down while gRPC is up: the old token stays in use, redo goes on', async t => {
  const { http, nacos, client } = await secured(t)
  const good = http.answer
  const warnings: string[] = []
  const made = client({ warn: text => warnings.push(text) })
  http.answer = () => ({ status: 200, body: { accessToken: 't1', tokenTtl: 0.15 } })
  const lists: number[] = []
  made.naming.subscribe({ service: 'a' }, { info: (_info, session) => lists.push(session), lost: () => {} })
  await nacos.until(() => lists.length === 1)
  http.answer = () => ({ status: 503 })
  await nacos.until(() => warnings.some(text => /HTTP 503/.test(text)))
  await made.naming.query({ service: 'b' })
  nacos.kill()
  await nacos.until(() => lists.length === 2)
  http.answer = good
})

t.test('without any token a subscription waits for the login to come back', async t => {
  const { http, nacos, client } = await secured(t)
  const good = http.answer
  http.answer = () => ({ status: 500 })
  const errors: string[] = []
  const lists: number[] = []
  const made = client()
  made.naming.subscribe(
    { service: 'a' },
    { info: (_info, session) => lists.push(session), lost: error => errors.push(error.code) },
  )
  await nacos.until(() => errors.length > 0)
  t.equal(errors[0], 'LANEWAY_AUTH')
  http.answer = good
  await nacos.until(() => lists.length === 1)
})

t.test('a registration waits for a login that is down, and gives up on one that refuses', async t => {
  const { http, nacos, client } = await secured(t)
  const good = http.answer
  http.answer = () => ({ status: 503 })
  const waiting = client().naming.register({ service: 'a' }, { ip: '10.0.0.1', port: 1 })
  await nacos.until(() => http.logins.length > 0)
  http.answer = good
  await waiting
  http.answer = () => ({ status: 403 })
  const refused = client().naming.register({ service: 'a' }, { ip: '10.0.0.1', port: 1 })
  await t.rejects(refused, { code: 'LANEWAY_AUTH' })
})

t.test('headers of the user go with each request, and know what they are for', async t => {
  const nacos = await server(t)
  const made = createNacosClient({
    servers: nacos.address,
    grpcPortOffset: 0,
    headers: async ({ type, body }) => ({ signature: `${type}:${String(body['serviceName'])}` }),
  })
  t.teardown(() => made.close())
  await made.naming.query({ service: 'a' })
  t.match(await nacos.message('ServiceQueryRequest'), { headers: { signature: 'ServiceQueryRequest:a' } })
})
