import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config/config.js'
import { createDiscovery } from '../src/discovery/discovery.js'

function folderWith(file: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-config-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, file), text)
  return folder
}

for (const [file, text] of [
  ['laneway.config.json', '{ "service": "sc-a", "services": ["sc-b"], "port": 8080 }'],
  ['laneway.config.js', 'module.exports = { service: "sc-a", services: ["sc-b"], port: 8080 }'],
  ['laneway.config.cjs', 'module.exports = { service: "sc-a", services: ["sc-b"], port: 8080 }'],
  ['laneway.config.mjs', 'export default { service: "sc-a", services: ["sc-b"], port: 8080 }'],
] as const) {
  t.test(`${file} says it, the environment comes first`, async t => {
    const folder = folderWith(file, text)
    t.match(readConfig({}, folder), { service: 'sc-a', services: ['sc-b'], port: 8080, file: join(folder, file) })
    t.match(readConfig({ LANEWAY_SERVICE: 'sc-z', LANEWAY_PORT: '' }, folder), { service: 'sc-z', port: 8080 })
  })
}

t.test('what is wrong is refused, with what was meant', async t => {
  for (const [env, file, said] of [
    [{}, '{ "servcie": "sc-a" }', /no option "servcie", did you mean "service"\?/],
    [{}, 'null', /takes an options object, received null/],
    [{}, '{ "port": "8080" }', /port is a whole number from 1 to 65535, without quotes, received "8080"/],
    [{}, '{ "trust": "all" }', /trust is one of "private", "internal", "edge", received "all"/],
    [{}, '[]', /takes an options object/],
    [{}, '{', /laneway.config.json cannot be read/],
    [{ LANEWAY_PORT: '80a' }, '{}', /LANEWAY_PORT is a whole number from 1 to 65535, received "80a"/],
    [{ LANEWAY_PORT: '0' }, '{}', /LANEWAY_PORT is a whole number from 1 to 65535, received "0"/],
    [{ LANEWAY_PORT: '99999' }, '{}', /LANEWAY_PORT is a whole number from 1 to 65535, received "99999"/],
    [{ LANEWAY_TURST: 'edge' }, '{}', /there is no variable LANEWAY_TURST, did you mean LANEWAY_TRUST\?/],
    [
      { LANEWAY_QUITE_ANOTHER_THING: '1' },
      '{}',
      /no variable LANEWAY_QUITE_ANOTHER_THING; SETTINGS.md of @laneway\/register lists all/,
    ],
    [{ LANEWAY_TRUST: 'Edge' }, '{}', /LANEWAY_TRUST is one of .*received "Edge", did you mean "edge"\?/],
    [{ LANEWAY_METADATA: 'a=1,b' }, '{}', /LANEWAY_METADATA is a list of key=value pairs.*received "a=1,b"/],
    [{ LANEWAY_POLICIES: '[{' }, '{}', /LANEWAY_POLICIES is JSON \(.*received "\[\{"/],
    [{ LANEWAY_NACOS_PASSWORD: 'x', LANEWAY_NACOS_PASSWORD_FILE: '/x' }, '{}', /PASSWORD_FILE are both set/],
    [
      { LANEWAY_NACOS_PASSWORD_FILE: '/no/such' },
      '{}',
      /LANEWAY_NACOS_PASSWORD_FILE names a file that cannot be read: ENOENT.*\/no\/such/,
    ],
    [{ LANEWAY_KUBERNETES: 'yes' }, '{}', /LANEWAY_KUBERNETES is 1 \(on\) or 0 \(off\)/],
    [{ LANEWAY_DISABLE: 'http,htpt' }, '{}', /no part "htpt", did you mean "http"\?/],
  ] as const) {
    t.throws(() => readConfig(env, folderWith('laneway.config.json', file)), {
      code: 'LANEWAY_INVALID_OPTION',
      message: said,
    })
  }
})

t.test('every kind of setting is read from its variable', async t => {
  const secret = folderWith('password', 'p=1,2 \n')
  t.match(
    readConfig(
      {
        LANEWAY_SERVICES: ' sc-a, ,sc-b,sc-c ',
        LANEWAY_METADATA: 'a=1, b=x=y ,c=',
        LANEWAY_POLICIES: '[{"service":"pay","whenLaneMissing":"fail"}]',
        LANEWAY_BAGGAGE: '1',
        LANEWAY_OTEL: 'false',
        LANEWAY_LOOKUP_TIMEOUT_MS: '0',
        LANEWAY_NACOS_USERNAME: ' me ',
        LANEWAY_NACOS_PASSWORD_FILE: join(secret, 'password'),
      },
      secret,
    ),
    {
      services: ['sc-a', 'sc-b', 'sc-c'],
      metadata: { a: '1', b: 'x=y', c: '' },
      policies: [{ service: 'pay', whenLaneMissing: 'fail' }],
      baggage: true,
      otel: false,
      lookupTimeoutMs: 0,
      nacosUsername: 'me',
      nacosPassword: 'p=1,2 ',
    },
  )
})

t.test("LANEWAY_BAGGAGE takes 1, 0 and mse, for MSE's member", async t => {
  const folder = folderWith('laneway.config.json', '{ "baggage": "mse" }')
  t.equal(readConfig({}, folder).baggage, 'mse')
  t.equal(readConfig({ LANEWAY_BAGGAGE: '0' }, folder).baggage, false)
  t.equal(readConfig({ LANEWAY_BAGGAGE: 'mse' }, tmpdir()).baggage, 'mse')
  const refused = {
    code: 'LANEWAY_INVALID_OPTION',
    message: /LANEWAY_BAGGAGE is 1 \(on\) or 0 \(off\), or mse, received/,
  }
  t.throws(() => readConfig({ LANEWAY_BAGGAGE: 'MSE' }, tmpdir()), refused)
  t.throws(() => readConfig({ LANEWAY_OTEL: 'mse' }, tmpdir()), {
    message: /LANEWAY_OTEL is 1 \(on\) or 0 \(off\), received/,
  })
})

t.test('what Kubernetes sets for Services named laneway is no setting', async t => {
  const folder = folderWith('x', '')
  const links = {
    LANEWAY_SERVICE_HOST: '10.0.0.1',
    LANEWAY_SERVICE_PORT: '80',
    LANEWAY_SERVICE_PORT_HTTP: '80',
    LANEWAY_PORT: 'tcp://10.0.0.1:80',
    LANEWAY_PORT_80_TCP: 'tcp://10.0.0.1:80',
    LANEWAY_PORT_80_TCP_PROTO: 'tcp',
    LANEWAY_GATEWAY_SERVICE_HOST: '10.0.0.2',
    LANEWAY_GATEWAY_PORT: 'tcp://10.0.0.2:8080',
    LANEWAY_GATEWAY_PORT_8080_TCP_ADDR: '10.0.0.2',
  }
  const config = readConfig(links, folder)
  t.equal(config.port, undefined)
  t.equal(config.service, undefined)
})

t.test('a password never appears in a message', async t => {
  for (const file of ['{ "nacosPassword": 12345678 }', '{ "nacosPassword": { "a": "12345678" } }']) {
    try {
      readConfig({}, folderWith('laneway.config.json', file))
      t.fail('it was refused')
    } catch (error) {
      t.match((error as Error).message, /nacosPassword is a text/)
      t.notMatch((error as Error).message, /12345678/)
    }
  }
})

t.test('the delay of a departure follows the shutdown time unless it is set', async t => {
  const folder = folderWith('x', '')
  t.match(readConfig({}, folder), { shutdownMs: 5000, leaveDelayMs: 3000 })
  t.match(readConfig({ LANEWAY_SHUTDOWN_MS: '100' }, folder), { leaveDelayMs: 100 })
  t.match(readConfig({ LANEWAY_LEAVE_DELAY_MS: '40000' }, folder), { shutdownMs: 5000, leaveDelayMs: 40_000 })
})

t.test('LANEWAY_RESOLVE=0 resolves nothing, and an endpoints server is a source', async t => {
  const none = { close: async () => {} }
  const sourcesOf = async (env: Record<string, string>) => {
    const { resolver, sources } = createDiscovery(readConfig(env, tmpdir()), true, () => {})
    await (resolver ?? none).close()
    return [resolver !== undefined, ...sources.map(({ name, where }) => `${name} ${where}`)]
  }
  const env = { LANEWAY_ENDPOINTS_URL: 'http://endpoints:7070' }
  t.strictSame(await sourcesOf(env), [true, 'http endpoints:7070'])
  t.strictSame(await sourcesOf({ ...env, LANEWAY_RESOLVE: '0' }), [false])
  t.strictSame(await sourcesOf({ ...env, LANEWAY_RESOLVE: '1' }), [true, 'http endpoints:7070'])
  t.throws(() => readConfig({ LANEWAY_RESOLVE: 'no' }, tmpdir()), {
    message: /LANEWAY_RESOLVE is 1 \(on\) or 0 \(off\)/,
  })
})
