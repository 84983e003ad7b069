import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectPath, readPath } from '@laneway/core'
import t from 'tap'
import { program, startApp } from './start-app.js'

const traced = { 'x-laneway-trace': '1', 'x-mse-tag': 'gray' }
const required = { flags: ['--require', '@laneway/register'] }

t.test('a traced request has its path through unchanged services, ES modules and CommonJS', async t => {
  const file = join(t.testdir(), 'endpoints.json')
  const known = (service: string) => ({ LANEWAY_ENDPOINTS_FILE: file, LANEWAY_SERVICE: service })
  const services: Record<string, object[]> = {}
  const add = (service: string, port: number, ...tags: string[]) => {
    services[service] = [...(services[service] ?? []), { host: '127.0.0.1', port, tags }]
    writeFileSync(file, JSON.stringify({ services }))
  }
  const start = (service: string, tag?: string) =>
    startApp(t, program('traced.cjs'), {
      ...required,
      environment: { ...known(service), ...(tag !== undefined && { LANEWAY_TAG: tag }) },
    })
  const [base, gray, grpc] = await Promise.all([
    start('sc-c'),
    start('sc-c', 'gray'),
    startApp(t, program('grpc-server.mjs'), { args: ['gray'], environment: { LANEWAY_SERVICE: 'sc-g' } }),
  ])
  add('sc-c', base.port)
  add('sc-c', gray.port, 'gray')
  add('sc-g', grpc.port)
  const b = await start('sc-b')
  add('sc-b', b.port)
  const [a, client] = await Promise.all([
    startApp(t, program('relay.mjs'), { environment: known('sc-a') }),
    startApp(t, program('grpc-client.mjs'), { args: ['sc-g'], environment: known('client') }),
  ])

  for (const over of ['http', 'own connection', 'fetch', 'undici', 'axios', 'got']) {
    const inner = `http://sc-b/?client=${over}&url=${encodeURIComponent('http://sc-c/')}`
    const url = `${a.url}/?client=${encodeURIComponent(over)}&url=${encodeURIComponent(inner)}`
    const answer = await fetch(url, { headers: traced })
    expectPath(answer, 'sc-a[base] -> sc-b[base] -> sc-c[gray]')
    t.equal(await answer.text(), '[][]', `${over}: the code of the services sees nothing of it`)
    expectPath(await fetch(url, { headers: { 'x-laneway-trace': '1' } }), 'sc-a[base] -> sc-b[base] -> sc-c[base]')
    t.equal(readPath(await fetch(url, { headers: { 'x-mse-tag': 'gray' } })), undefined)
  }
  expectPath(await fetch(client.url, { headers: traced }), 'client[base] -> sc-g[base]')
})

t.test(
  'an edge under the preload answers nobody without its token, and LANEWAY_DISABLE=trace nobody at all',
  async t => {
    const start = (environment: Record<string, string>) =>
      startApp(t, program('traced.cjs'), { ...required, environment: { LANEWAY_SERVICE: 'edge', ...environment } })
    const asked = async (url: string, value: string) =>
      readPath(await fetch(url, { headers: { 'x-laneway-trace': value } }))
    const [edge, off] = await Promise.all([
      start({ LANEWAY_TRUST: 'edge', LANEWAY_TRACE_TOKEN: 'secret' }),
      start({ LANEWAY_DISABLE: 'trace' }),
    ])
    t.equal(await asked(edge.url, '1'), undefined)
    t.match(await asked(edge.url, 'secret'), { service: 'edge', calls: [] })
    t.equal(await asked(off.url, '1'), undefined)
  },
)
