import { createRequire } from 'node:module'
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

t.test('LANEWAY_LOG=debug says each decision with its reason', async t => {
  const far = await startFarService(t)
  const app = await startApp(t, program('relay.mjs'), {
    environment: { ...far.environment, LANEWAY_LOG: 'debug', LANEWAY_TAG: 'gray' },
  })
  await relay(app, 'http', 'gray')
  await relay(app, 'fetch', 'blue')
  await relay(app, 'undici')
  await relay(app, 'http', 'not/a/tag')
  const [ingress, picks, out] = ['in ', 'pick', 'out'].map(word =>
    app.output.stderr.split('\n').filter(line => line.startsWith(`laneway: ${word}`)),
  )
  t.match(ingress, [
    'laneway: in   gray (header)',
    'laneway: in   blue (header)',
    'laneway: in   - (untagged, at an instance of a lane)',
    'laneway: in   - (invalid, at an instance of a lane)',
  ])
  t.match(picks, [
    `laneway: pick svc for gray: lane, gray 127.0.0.1:${far.gray}`,
    `laneway: pick svc for blue: fallback-missing, base 127.0.0.1:${far.base}`,
    `laneway: pick svc for -: base, base 127.0.0.1:${far.base}`,
    `laneway: pick svc for -: base, base 127.0.0.1:${far.base}`,
  ])
  t.match(out, ['laneway: out  gray to svc: forwarded', 'laneway: out  blue to svc: forwarded'])
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
