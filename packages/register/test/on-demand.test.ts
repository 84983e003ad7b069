import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startFarService } from './far-service.js'
import { ask, startApp, type Test } from './start-app.js'

const register = createRequire(import.meta.url).resolve('@laneway/register')
const SERVICE = `
const http = require('node:http')
const server = http.createServer(async (_req, res) => res.end(await (await fetch('http://svc/')).text()))
server.listen(0, '127.0.0.1', () => console.log('serving on ' + server.address().port))
`

/** An application of its own, with the packages that it has installed. */
function application(t: Test, packages: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-app-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'app.cjs'), SERVICE)
  for (const [name, text] of Object.entries(packages)) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true })
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), text)
  }
  return { folder, file: join(folder, 'app.cjs') }
}

t.test('a package that a setting needs and the application has not is named with its install line', async t => {
  const { folder, file } = application(t)
  for (const [variable, value, name] of [
    ['LANEWAY_NACOS', '127.0.0.1:8848', '@laneway/nacos'],
    ['LANEWAY_KUBERNETES', '1', '@laneway/kubernetes'],
    ['LANEWAY_OTEL', '1', '@laneway/otel'],
    ['LANEWAY_RULES', 'rules.json', '@laneway/rules'],
  ] as const) {
    await t.rejects(startApp(t, file, { flags: ['--require', register], environment: { [variable]: value }, folder }), {
      message: new RegExp(`LANEWAY_INVALID_OPTION[^]*${variable} needs ${name}: npm install ${name}`),
    })
  }
  const app = await startApp(t, file, { flags: ['--require', register], folder })
  t.equal(app.output.stderr, '', 'without the setting nobody misses it')
})

t.test('a package that fails while it loads is not taken for a missing one', async t => {
  const { folder, file } = application(t, { '@laneway/otel': 'throw new Error("no API here")' })
  await t.rejects(startApp(t, file, { flags: ['--require', register], environment: { LANEWAY_OTEL: '1' }, folder }), {
    message: /no API here/,
  })
})

t.test("LANEWAY_KUBERNETES=1 loads the application's own package, wherever the application was started", async t => {
  const far = await startFarService(t)
  const discovery = JSON.stringify(createRequire(import.meta.url).resolve('@laneway/discovery'))
  const endpoints = JSON.stringify(far.environment.LANEWAY_ENDPOINTS_FILE)
  const { file } = application(t, {
    '@laneway/kubernetes': `
      const { createFileSource } = require(${discovery})
      exports.createKubernetesSource = () => createFileSource(${endpoints})
    `,
  })
  const app = await startApp(t, file, {
    flags: ['--require', register],
    environment: { LANEWAY_KUBERNETES: '1', LANEWAY_SERVICES: 'svc' },
    folder: tmpdir(),
  })
  t.equal(await ask(app.url, 'gray'), 'gray[gray]')
  t.equal(await ask(app.url), 'base[]')
})

t.test('LANEWAY_OTEL=1 keeps the lane in the OpenTelemetry context', async t => {
  const { folder, file } = application(t, {
    '@laneway/otel': 'exports.useOtelContext = () => console.error("context of OpenTelemetry")',
  })
  const app = await startApp(t, file, { flags: ['--require', register], environment: { LANEWAY_OTEL: '1' }, folder })
  t.equal(app.output.stderr, 'context of OpenTelemetry\n')
})
