import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, program, relay, startApp } from './start-app.js'

const require = createRequire(import.meta.url)
const version = (name: string) => (require(`${name}/package.json`) as { version: string }).version

t.test('LANEWAY_DIAGNOSE=1 says once what was found and hooked, with versions', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('koa.mjs'), {
    environment: { ...far.environment, LANEWAY_DIAGNOSE: '1', LANEWAY_TAG: 'gray', LANEWAY_DISABLE: 'signals' },
  })
  for (let round = 0; round < 3; round++) await ask(app.url, 'gray')
  const lines = app.output.stderr.split('\n').filter(line => line !== '')
  const said = new Map(lines.map(line => line.match(/^laneway: (.*?): (.*)$/)!.slice(1, 3) as [string, string]))
  t.equal(said.size, lines.length, 'each fact once')
  t.match(Object.fromEntries(said), {
    node: `${process.version}, built-in undici ${process.versions['undici']}`,
    installed: new RegExp(`\\bkoa ${version('koa')}`),
    config: 'environment only',
    'own lane': 'gray',
    discovery: 'file',
    service: 'does not register',
    hooks: /http, https and http2 servers, fastify\.inject, http and https requests, undici/,
    'requests without a server':
      'lane of express, fastify, hapi, koa; no lane behind others, nor of express and hapi in a bundle',
    disabled: 'signals',
    faults: 'none',
  })
})

t.test('a program that never listens says it when it ends', async t => {
  const app = await startApp(t, program('ends.mjs'), { environment: { LANEWAY_DIAGNOSE: '1' } })
  t.equal(await app.ended, 0)
  t.equal(app.output.stderr.match(/laneway: hooks:/g)?.length, 1)
})

const linesOf = (text: string, word: string) => text.split('\n').filter(line => line.startsWith(`laneway: ${word}`))

t.test('LANEWAY_LOG=debug says each way in, choice and way out with its reason, under one id', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('relay.mjs'), {
    environment: { ...far.environment, LANEWAY_LOG: 'debug', LANEWAY_TAG: 'gray' },
  })
  await relay(app, 'http', 'gray')
  await relay(app, 'fetch', 'blue')
  await relay(app, 'undici')
  await relay(app, 'http', 'not/a/tag')
  const { stderr } = app.output
  const stamp = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'
  const line = (word: string, rest: string) => new RegExp(`^laneway: ${word} ${stamp} GET / ${rest}`)
  t.match(linesOf(stderr, 'in '), [
    line('in  ', 'id=#1 lane=gray source=header outcome=accepted: the sender 127.0.0.1 is believed'),
    line('in  ', 'id=#2 lane=blue source=header outcome=accepted'),
    line('in  ', 'id=#3 outcome=untagged: the request carries no tag; .* instance of a lane'),
    line('in  ', 'id=#4 outcome=invalid: what it carried is no lane'),
  ])
  t.match(linesOf(stderr, 'pick'), [
    line(
      'pick',
      `id=#1 lane=gray source=header service=svc endpoint=127.0.0.1:${far.gray} outcome=lane: lane gray serves`,
    ),
    line(
      'pick',
      `id=#2 lane=blue source=header service=svc endpoint=127.0.0.1:${far.base} outcome=fallback-missing: there is no`,
    ),
    line('pick', `id=#3 service=svc endpoint=127.0.0.1:${far.base} outcome=base: the request has no lane; 1 of 1`),
    line('pick', `id=#4 service=svc endpoint=127.0.0.1:${far.base} outcome=base`),
  ])
  t.match(linesOf(stderr, 'out '), [
    line(
      'out ',
      `id=#1 lane=gray source=header service=svc endpoint=127.0.0.1:${far.gray} host=svc outcome=forwarded: the tag`,
    ),
    line('out ', `id=#2 lane=blue source=header service=svc endpoint=127.0.0.1:${far.base} host=svc outcome=forwarded`),
    line('out ', `id=#3 service=svc endpoint=127.0.0.1:${far.base} host=svc outcome=untagged`),
    line('out ', 'id=#4 service=svc'),
  ])
})

t.test('the README shows lines of such a run', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('relay.mjs'), { environment: { ...far.environment, LANEWAY_LOG: 'debug' } })
  await relay(app, 'http', 'gray')
  const lines = app.output.stderr
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-01-02T03:04:05.006Z')
    .replaceAll(`127.0.0.1:${far.gray}`, '10.0.0.2:8080')
  t.match(readFileSync(new URL('../README.md', import.meta.url), 'utf8'), `\`\`\`\n${lines}\`\`\``)
  t.match(lines, /^laneway: in .*\nlaneway: pick .*\nlaneway: out .*\n$/)
})

t.test('interleaved requests keep their ids: the lines of a call name the request it was made for', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('express.mjs'), {
    environment: { ...far.environment, LANEWAY_LOG: 'debug', LANEWAY_LOG_FORMAT: 'json' },
  })
  const lanes = ['gray', 'blue', undefined] as const
  const count = 30
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const tag = lanes[index % 3]
      const headers = { 'x-request-id': `${tag}-${index}`, ...(tag !== undefined && { 'x-mse-tag': tag }) }
      await (await fetch(app.url, { headers })).text()
    }),
  )
  const entries = app.output.stderr
    .split('\n')
    .filter(one => one !== '')
    .map(one => JSON.parse(one) as Record<string, string>)
  for (const event of ['ingress', 'decision', 'egress']) {
    const own = entries.filter(entry => entry['event'] === event)
    t.ok(own.length >= count, `${own.length} lines of ${event}`)
    for (const { id, lane } of own) {
      if (id?.split('-')[0] !== String(lane)) t.fail(`${event}: id ${id} has lane ${lane}`)
    }
  }
})

t.test('useLogger gives lines and warnings to the logger of the app', async t => {
  const app = await startApp(t, program('logging.mjs'), { environment: { LANEWAY_LOG: 'debug' } })
  await relay(app, 'http', 'gray', 'http://third.example.invalid./')
  const said = app.output.stdout
    .split('\n')
    .slice(1)
    .filter(one => one !== '')
    .map(one => JSON.parse(one) as Record<string, unknown>)
  t.match(said, [
    { level: 20, event: 'ingress', lane: 'gray' },
    { level: 20, event: 'egress', outcome: 'blocked', host: 'third.example.invalid.' },
    { level: 40, msg: /^laneway: .*third\.example.*LANEWAY_PROPAGATE_TO/ },
  ])
  t.equal(app.output.stderr, '')
})

t.test('LANEWAY_DIAGNOSE=1 says what the registry says, and never a password', async t => {
  const password = 's3cret-pass'
  const nacos = await createNacosDevServer({ port: 0, auth: { users: { me: password } } }).start()
  t.teardown(() => nacos.close())
  const environment = {
    LANEWAY_DIAGNOSE: '1',
    LANEWAY_LOG: 'debug',
    LANEWAY_NACOS: nacos.address,
    LANEWAY_NACOS_USERNAME: 'me',
    LANEWAY_NACOS_PASSWORD: password,
    LANEWAY_SERVICE: 'sc-P',
    LANEWAY_SERVICES: 'sc-X',
    LANEWAY_TRUST: 'internal',
  }
  const said = async (more: Record<string, string>) => {
    const app = await startApp(t, program('plain.mjs'), { environment: { ...environment, ...more } })
    while (!app.output.stderr.includes('laneway: looks wrong:')) await new Promise(resolve => setTimeout(resolve, 50))
    t.notMatch(app.output.stderr, password)
    t.notMatch(app.output.stderr, 'wrong-pass')
    const facts = linesOf(app.output.stderr, '').map(line => line.match(/^laneway: (.*?): (.*)$/)!.slice(1, 3))
    return Object.fromEntries(facts) as Record<string, string>
  }
  t.match(await said({}), {
    registry: `nacos ${nacos.address}, namespace public, group DEFAULT_GROUP: connected`,
    login: 'as me',
    trust: 'internal',
    service: /^sc-P registered as 127\.0\.0\.1:\d+$/,
    services: /sc-X current \(0 of 0 usable, lanes: none, \d\.\d s old\)/,
    'looks wrong': 'sc-X has no instances',
  })
  t.match(await said({ LANEWAY_NACOS_PASSWORD: 'wrong-pass' }), {
    registry: /not connected|connected/,
    'looks wrong': /LANEWAY_AUTH|sc-P/,
  })
})

t.test('LANEWAY_LOG=silent says nothing, not even that a tag was kept from a host', async t => {
  for (const [log, said] of [
    ['silent', ''],
    ['warn', /third\.example.*LANEWAY_PROPAGATE_TO|third\.example.*propagateTo/],
  ] as const) {
    const app = await startApp(t, program('relay.mjs'), { environment: { LANEWAY_LOG: log } })
    await relay(app, 'http', 'gray', 'http://third.example.invalid./')
    t.match(app.output.stderr, said, log)
  }
})
