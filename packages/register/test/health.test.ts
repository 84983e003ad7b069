import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { parse } from 'yaml'
import type { RegisterHealth } from '../src/lifecycle/health.js'
import { freePort } from './free-port.js'
import { startApp } from './start-app.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) => text!)
const probe = (parse(blocks('yaml')[0]!) as { readinessProbe: { httpGet: { path: string; port: number } } })
  .readinessProbe.httpGet

/** What the kubelet sees. */
async function ask(port: number): Promise<{ status: number; health: RegisterHealth }> {
  const response = await fetch(`http://127.0.0.1:${port}${probe.path}`)
  return { status: response.status, health: (await response.json()) as RegisterHealth }
}

async function until(port: number, holds: (health: RegisterHealth, status: number) => boolean) {
  for (;;) {
    const { status, health } = await ask(port).catch(() => ({ status: 0, health: undefined }))
    if (health !== undefined && holds(health, status)) return { status, health }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

for (const [framework, index] of [
  ['express', 1],
  ['fastify', 2],
] as const) {
  t.test(`the example for ${framework} answers the probe, also while the registry is lost`, async t => {
    const code = blocks('ts')[index]!
    t.match(code, `from '${framework}'`)
    t.match(code, `?? ${probe.port}`, 'the probe asks the port of the example')
    const folder = join(root, 'test', `.readme-health-${framework}-${process.pid}`)
    mkdirSync(folder)
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'app.mjs')
    const port = await freePort()
    writeFileSync(file, `${code}\nconsole.log('serving on ${port}')\n`)

    const nacos = await createNacosDevServer({ port: 0 }).start()
    t.teardown(() => nacos.close())
    await startApp(t, file, {
      environment: {
        PORT: String(port),
        LANEWAY_NACOS: nacos.address,
        LANEWAY_SERVICE: 'sc-A',
        LANEWAY_SERVICES: 'sc-A',
        LANEWAY_TAG: 'gray',
      },
    })
    const good = await until(port, ({ status, services }) => status === 'ok' && services[0]?.endpoints === 1)
    t.equal(good.status, 200)
    t.match(good.health, {
      active: true,
      ready: true,
      lane: 'gray',
      registration: { state: 'registered', service: 'sc-A', address: new RegExp(`:${port}$`) },
      sources: [{ source: 'nacos', where: new RegExp(nacos.address), connected: true }],
      services: [{ service: 'sc-A', declared: true, state: 'current', endpoints: 1, usable: 1, lanes: ['gray'] }],
    })
    t.type(good.health.services[0]?.ageMs, 'number')

    await nacos.close()
    const lost = await until(port, ({ sources }) => sources[0]?.connected === false)
    t.equal(lost.status, 200, 'losing the registry is a warning')
    t.match(lost.health, { status: 'warning', ready: true, services: [{ state: 'stale', endpoints: 1 }] })
    t.match(lost.health.warnings.join('\n'), /nacos \(.*\) cannot be reached/)
  })
}

t.test('not ready: a declared service without an answer, and a process that deregisters', async t => {
  const folder = t.testdir({
    'app.mjs': `
      import { health, shutdown } from '@laneway/register'
      import { createServer } from 'node:http'
      console.log(JSON.stringify(health()))
      const server = createServer((_req, res) => res.end())
      server.listen(0, async () => {
        console.log('serving on ' + server.address().port)
        await shutdown()
        console.log(JSON.stringify(health()))
        process.exit(0)
      })`,
  })
  const app = await startApp(t, join(folder, 'app.mjs'), {
    environment: {
      LANEWAY_NACOS: '127.0.0.1:1',
      LANEWAY_SERVICE: 'sc-A',
      LANEWAY_SERVICES: 'sc-B',
      LANEWAY_SHUTDOWN_MS: '1',
    },
  })
  t.equal(await app.ended, 0)
  const [before, , after] = app.output.stdout.trim().split('\n')
  t.match(JSON.parse(before!), { ready: false, registration: { state: 'not-listening' } })
  t.match(JSON.parse(after!), { ready: false, registration: { state: 'left' } })
})

t.test('under LANEWAY_DISABLE=all there is nothing that could be wrong', async t => {
  const folder = t.testdir({
    'app.mjs': `import { health } from '@laneway/register'
      console.log(JSON.stringify(health()))
      console.log('serving on 1')`,
  })
  const app = await startApp(t, join(folder, 'app.mjs'), { environment: { LANEWAY_DISABLE: 'all' } })
  await app.ended
  t.match(JSON.parse(app.output.stdout.split('\n')[0]!), { status: 'ok', ready: true, active: false })
})
