import t, { type Test } from 'tap'
import type { NacosDevServer } from '../src/index.js'
import { setUpPeer, startServer } from './fixture.js'
import { named, type Peer, register, subscribe } from './peer.js'

const auth = { users: { nacos: 'secret', reader: 'quiet' }, readers: ['reader'] }
const config = { dataId: 'd', group: 'g', tenant: '' }
const requests: readonly (readonly [type: string, body: object, answer: string, extra?: object])[] = [
  [...subscribe('sc-b'), 'SubscribeServiceResponse'],
  [...register('sc-b', 8001), 'InstanceResponse'],
  ['BatchInstanceRequest', { ...named('sc-b'), type: 'batchRegisterInstance', instances: [] }, 'BatchInstanceResponse'],
  ['ServiceQueryRequest', named('sc-b'), 'QueryServiceResponse'],
  ['ConfigQueryRequest', config, 'ConfigQueryResponse', { lastModified: 0, beta: false }],
  ['ConfigPublishRequest', { ...config, content: 'x' }, 'ConfigPublishResponse'],
  ['ConfigRemoveRequest', config, 'ConfigRemoveResponse'],
  [
    'ConfigBatchListenRequest',
    { listen: true, configListenContexts: [{ ...config, md5: '' }] },
    'ConfigChangeBatchListenResponse',
    { changedConfigs: [] },
  ],
]

async function logIn(server: NacosDevServer, path: string, username: string, password: string): Promise<any> {
  const response = await fetch(`http://${server.address}/nacos/${path}?username=${username}`, {
    method: 'POST',
    body: new URLSearchParams({ password }),
  })
  return { status: response.status, ...(response.ok ? ((await response.json()) as object) : {}) }
}

async function allRefused(t: Test, peer: Peer, token: string | undefined, message: string): Promise<void> {
  for (const [type, body, answer, extra] of requests) {
    const refused = await peer.ask(type, body, token)
    t.strictSame(refused, {
      type: answer,
      body: { resultCode: 500, errorCode: 403, message, ...extra, success: false },
    })
  }
}

t.test(
  'without a token, and with a made-up one, every request but the handshake is refused in its own type',
  async t => {
    const texts = {
      '3.1.0': [
        'Code: 401, Message: User not found! Please check user exist or password is right!.',
        'Code: 401, Message: token invalid!.',
      ],
      '2.5.0': ['user not found!', 'token invalid!'],
      '2.2.3': ['user not found!', 'token invalid!'],
    } as const
    for (const dialect of ['3.1.0', '2.5.0', '2.2.3'] as const) {
      const server = await startServer(t, { auth, dialect })
      const peer = await setUpPeer(t, server)
      const [missing, invalid] = texts[dialect]
      await allRefused(t, peer, undefined, missing)
      await allRefused(t, peer, 'made-up', invalid)
      t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
      t.same([server.instances(), server.subscriptions(), server.configs(), server.configListeners()], [[], [], [], []])
    }
  },
)

t.test('a login opens everything, by either interface of 3.1.0', async t => {
  const server = await startServer(t, { auth: { ...auth, tokenTtlSeconds: 25 } })
  const peer = await setUpPeer(t, server)
  for (const path of ['v3/auth/user/login', 'v1/auth/users/login']) {
    const { accessToken, ...login } = await logIn(server, path, 'nacos', 'secret')
    t.strictSame(login, { status: 200, tokenTtl: 25, globalAdmin: true, username: 'nacos' })
    for (const [type, body, answer] of requests) {
      const given = await peer.ask(type, body, accessToken)
      t.equal(given.type, answer)
      t.not(given.body.errorCode, 403)
    }
  }
})

t.test('2.x has no v3 login', async t => {
  const server = await startServer(t, { auth, dialect: '2.5.0' })
  t.equal((await logIn(server, 'v3/auth/user/login', 'nacos', 'secret')).status, 404)
  t.equal((await logIn(server, 'v1/auth/users/login', 'nacos', 'secret')).status, 200)
})

t.test('a wrong password and an unknown user get no token', async t => {
  const server = await startServer(t, { auth })
  t.equal((await logIn(server, 'v3/auth/user/login', 'nacos', 'wrong')).status, 403)
  t.equal((await logIn(server, 'v3/auth/user/login', 'nobody', 'secret')).status, 403)
  t.equal((await logIn(server, 'v3/auth/user/login', '__proto__', 'secret')).status, 403)
})

t.test('a reader may read and not write', async t => {
  const server = await startServer(t, { auth })
  const peer = await setUpPeer(t, server)
  const { accessToken, globalAdmin } = await logIn(server, 'v3/auth/user/login', 'reader', 'quiet')
  t.equal(globalAdmin, false)
  t.match(await peer.ask('ServiceQueryRequest', named('sc-b'), accessToken), { body: { resultCode: 200 } })
  const message = 'Code: 403, Message: authorization failed!.'
  t.match(await peer.ask(...register('sc-b', 8001), accessToken), { body: { errorCode: 403, message } })
  t.same(server.instances(), [])
})

t.test('after a token has expired new requests fail, while subscriptions and instances live on', async t => {
  const server = await startServer(t, { auth })
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  const old = (await logIn(server, 'v3/auth/user/login', 'nacos', 'secret')).accessToken
  await watcher.ask(...subscribe('sc-b'), old)
  await watcher.ports('sc-b')
  server.faults.expireTokens()
  await allRefused(t, watcher, old, 'Code: 401, Message: token expired!.')
  const fresh = (await logIn(server, 'v3/auth/user/login', 'nacos', 'secret')).accessToken
  await provider.ask(...register('sc-b', 8001), fresh)
  await watcher.ports('sc-b', 8001)
})

t.test('logins can fail while gRPC is served', async t => {
  const server = await startServer(t, { auth })
  const undo = server.faults.failLogins(503)
  t.equal((await logIn(server, 'v3/auth/user/login', 'nacos', 'secret')).status, 503)
  const peer = await setUpPeer(t, server)
  t.match(await peer.ask('HealthCheckRequest'), { type: 'HealthCheckResponse' })
  undo()
  t.equal((await logIn(server, 'v3/auth/user/login', 'nacos', 'secret')).status, 200)
})
