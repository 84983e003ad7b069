import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createFileSource, createLaneResolver, createStaticSource } from '../src/index.js'
import { endpoint } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

t.test('health lists sources and services with state, age and lanes', async t => {
  let now = 1000
  const source = createStaticSource({
    'sc-B': [endpoint(), endpoint({ tags: ['gray'] }), endpoint({ tags: ['blue'], health: 'unhealthy' })],
    'sc-C': [],
  })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-B'], env: {}, now: () => now })
  t.teardown(() => resolver.close())
  now = 3500
  t.strictSame(JSON.parse(JSON.stringify(resolver.health())), {
    status: 'ok',
    ready: true,
    sources: [{ source: 'static', connected: true }],
    services: [
      {
        service: 'sc-B',
        declared: true,
        state: 'current',
        source: 'static',
        ageMs: 2500,
        endpoints: 3,
        usable: 2,
        lanes: ['blue', 'gray'],
      },
    ],
    warnings: [],
  })
  await resolver.ready('sc-C')
  t.match(resolver.health(), { status: 'warning', ready: true, warnings: ['sc-C has no instances'] })
})

t.test(
  'a lost registry is a warning and stays ready; a service that no registry answered for is not ready',
  async t => {
    const source = createScriptedSource()
    const resolver = createLaneResolver({ sources: [source], services: ['sc-B', 'sc-C'], env: {}, warn() {} })
    t.match(resolver.health(), { status: 'warning', ready: false, sources: [{ connected: undefined }] })
    source.snapshot('sc-B', [endpoint()])
    t.match(resolver.health(), { ready: false, sources: [{ connected: true }] })
    source.snapshot('sc-C', [endpoint()])
    t.match(resolver.health(), { status: 'ok', ready: true, warnings: [] })
    source.stale('sc-B', new Error('connection refused'))
    t.match(resolver.health(), {
      status: 'warning',
      ready: true,
      sources: [{ connected: false, error: 'connection refused' }],
      services: [{ state: 'stale', endpoints: 1 }, { state: 'current' }],
      warnings: [
        'scripted cannot be reached: connection refused',
        'sc-B is served from its last list: connection refused',
      ],
    })
    source.snapshot('sc-B', [endpoint()])
    t.match(resolver.health(), { status: 'ok', ready: true, warnings: [] })
    source.missing('sc-B')
    t.match(resolver.health(), { ready: true, warnings: ['sc-B is declared, and no registry has it'] })
    await resolver.close()
    t.match(resolver.health(), { ready: false, warnings: [/closed/] })
  },
)

t.test('what a source reports about itself comes first', async t => {
  const source = createScriptedSource({ services: { 'sc-B': [endpoint()] } })
  let connected = false
  const resolver = createLaneResolver({
    sources: [{ ...source, where: 'nowhere', connection: () => ({ connected, error: new Error('no way') }) }],
    services: ['sc-B'],
    env: {},
  })
  t.teardown(() => resolver.close())
  t.match(resolver.health(), { ready: true, warnings: ['scripted (nowhere) cannot be reached: no way'] })
  connected = true
  t.match(resolver.health(), { status: 'ok' })
})

t.test('a file that cannot be read is a lost source', async t => {
  const file = join(t.testdir({}), 'endpoints.json')
  writeFileSync(file, '{')
  const source = createFileSource(file, { warn() {} })
  const resolver = createLaneResolver({ sources: [source], env: {}, warn() {} })
  t.teardown(() => resolver.close())
  t.match(resolver.health(), { status: 'warning', sources: [{ connected: false, error: /endpoints\.json/ }] })
})
