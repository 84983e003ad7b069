import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type AppOptions, ask, program, startApp } from './start-app.js'

type Folder = Parameters<typeof startApp>[0] & { testdir(): string }

/** The address of base as its callers write it, and the environment by which they find both instances. */
async function startServers(t: Folder, options: AppOptions = {}) {
  const start = (name: string) => startApp(t, program('grpc-server.mjs'), { ...options, args: [name] })
  const [base, gray] = await Promise.all([start('base'), start('gray')])
  const file = join(t.testdir(), 'endpoints.json')
  const endpoints = [
    { host: '127.0.0.1', port: base.port },
    { host: '127.0.0.1', port: gray.port, tags: ['gray'] },
  ]
  writeFileSync(file, JSON.stringify({ services: { 'sc-g': endpoints } }))
  return { target: `sc-g:${base.port}`, environment: { LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICES: 'sc-g' } }
}

t.test('servers and clients of grpc-js are in the lane without code, and the diagnosis says so', async t => {
  const { target, environment } = await startServers(t)
  const client = (more: Record<string, string> = {}) =>
    startApp(t, program('grpc-client.mjs'), { environment: { ...environment, ...more }, args: [target] })
  const app = await client({ LANEWAY_DIAGNOSE: '1' })
  const tags = ['gray', undefined, 'blue', undefined, 'gray', 'blue']
  t.strictSame(await Promise.all(tags.map(tag => ask(app.url, tag))), [
    'gray at gray, tag ["gray"]',
    'none at base, tag []',
    'blue at base, tag ["blue"]',
    'none at base, tag []',
    'gray at gray, tag ["gray"]',
    'blue at base, tag ["blue"]',
  ])
  t.equal(await ask(`${app.url}/?tag=gray`, 'blue'), 'gray at gray, tag ["gray"]', 'set by hand')
  t.match(app.output.stderr, /hooks: .*\bgrpc-js clients/)
  t.match(app.output.stderr, 'copies of grpc-js: 1 so far')
  t.match(app.output.stderr, /installed: .*@grpc\/grpc-js 1\./)
  t.match(app.output.stderr, 'faults: none')

  const strict = await client({ LANEWAY_WHEN_LANE_MISSING: 'fail' })
  t.equal(await ask(strict.url, 'blue'), 'code 14 LANEWAY_LANE_REQUIRED')
  const off = await client({ LANEWAY_DISABLE: 'grpc' })
  t.equal(await ask(off.url, 'gray'), 'code 14 ', 'the name goes to DNS, which does not know it')
})

t.test('a server without ingress sees no lane, and an edge removes the tag', async t => {
  const seeing = async (environment: Record<string, string>) => {
    const servers = await startServers(t, { environment })
    const app = await startApp(t, program('grpc-client.mjs'), {
      environment: servers.environment,
      args: [servers.target],
    })
    return ask(app.url, 'gray')
  }
  t.equal(await seeing({ LANEWAY_DISABLE: 'ingress' }), 'none at gray, tag ["gray"]')
  t.equal(await seeing({ LANEWAY_TRUST: 'edge' }), 'none at gray, tag []')
})
