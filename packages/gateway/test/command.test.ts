import { spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cert, key } from '@laneway/testkit/certificate'
import t, { type Test } from 'tap'
import { runCommand } from '../src/command/command.js'
import { startGateway } from '../src/start-gateway.js'
import { refusedPort, send, startServices } from './world.js'

/** Files in a folder of their own. */
function folder(t: Test, files: Readonly<Record<string, string>>) {
  const place = t.testdir(files)
  return {
    file: (name: string) => join(place, name),
    /** In one piece, as an editor or Kubernetes does. */
    replace(name: string, text: string) {
      writeFileSync(join(place, `.${name}`), text)
      renameSync(join(place, `.${name}`), join(place, name))
    },
  }
}

async function command(...args: string[]) {
  let out = ''
  const errors: string[] = []
  const code = await runCommand(args, {
    out: { write: (text: string) => (out += text) },
    writeError: line => errors.push(line),
    onSignal: () => {},
  })
  return { code, out, errors: errors.join('\n') }
}

const DISCOVERY = 'discovery: { static: { sc-a: [{ host: 127.0.0.1, port: 1 }] } }\n'

t.test('--help, and what is wrong with a command line', async t => {
  t.match(await command('--help'), { code: 0, out: /--config/ })
  t.match(await command(), { code: 1, errors: /--config is missing/ })
  t.match(await command('--confg', 'x'), { code: 1, errors: /--confg/ })
  t.match(await command('--config', '/nowhere/gateway.yaml'), { code: 1, errors: /LANEWAY_SOURCE: .*nowhere/ })
})

t.test('every problem of a configuration, with its place and a suggestion', async t => {
  const { file } = folder(t, {
    'key.yaml': `version: 1\nlistners: []\n${DISCOVERY}`,
    'syntax.yaml': 'version: 1\nroutes: [\n',
    'empty.yaml': '# nothing\n',
    'version.yaml': `version: 2\n${DISCOVERY}`,
    'discovery.yaml': 'version: 1\ndiscovery: {}\n',
    'source.yaml': 'version: 1\ndiscovery:\n  nacso: { servers: a }\n',
    'http.yaml': 'version: 1\ndiscovery:\n  http: { uri: a, url: "ftp://a" }\n',
    'nacos.yaml': `version: 1\nrules: { nacos: { dataId: lanes } }\n${DISCOVERY}`,
    'many.yaml': `version: 1
trust: egde
${DISCOVERY}`,
    'parts.yaml': `version: 1
${DISCOVERY}upstream: { conectTimeoutMs: 3 }
rules:
  - name: tester
    when: { header: { name: user-agent, exakt: xiaoming } }
    lane: gray
routes:
  - { path: { prefix: / }, servce: sc-a }
  - path: { prefix: x }
    service: sc-a
routesFrom: [routes.yaml, missing.yaml]
listeners:
  - { protocol: https, tls: { cert: no.crt, key: no.key } }
`,
    'routes.yaml': `kind: ConfigMap
---
kind: HTTPRoute
metadata: { name: a }
spec:
  rules:
    - filters:
        - type: URLRewrite
      backendRefs: [{ name: x }]
`,
    'all.yaml': `version: 2
listners: []
acessLog: true
trust: egde
header: 5
proxies: 99
hostHeader: drop
admin: { prot: 1, port: 70000 }
upstream: { connectTimeoutMs: 0, keepAliveMs: x, tls: {} }
drain: { delayMs: -1, timeoutMs: -2 }
listeners:
  - { port: 70000, protocol: spdy, hots: a }
  - { protocol: http, tls: { cert: no.crt, key: 5, kye: a } }
discovery:
  static:
    sc-a: [{ host: 127.0.0.1, port: 1 }, { host: 127.0.0.1, port: 0 }, 5]
    sc-b: none
  nacso: {}
  nacos: { servers: ['nacos://host:8848', 'u:secret@h:1'], user: a }
  whenLaneMissing: bsae
  balancer: fastest
routes:
  - { path: { prefix: / }, servce: sc-a, pth: { prefix: / } }
  - 5
  - { path: { prefix: x }, service: sc-a }
routesFrom: [5, missing.yaml]
rules: { file: no.yaml, nacos: { dataId: 5 } }
`,
    'two.yaml': `version: 1\n${DISCOVERY}---\nroutes: []\n`,
    'rules.null.yaml': `version: 1\n${DISCOVERY}rules:\nroutes:\n`,
    'scheme.yaml': 'version: 1\ndiscovery:\n  nacos: { servers: "a:1,nacos://host:8848" }\n',
    'bom.yaml': `\ufeffversion: 2\n${DISCOVERY}`,
    'rules-file.yaml': `version: 1\nrules: { file: rules.yaml }\n${DISCOVERY}`,
    'rules.yaml': 'version: 1\nrules:\n  - name: a\n    lane: "not a lane"\n',
  })
  const cases: [string, RegExp[]][] = [
    ['key.yaml', [/key\.yaml:2:1: .*"listners", did you mean "listeners"/]],
    ['syntax.yaml', [/syntax\.yaml:\d:\d: /]],
    ['empty.yaml', [/version is 1/]],
    ['version.yaml', [/version\.yaml:1:1: version is 1, received 2/]],
    ['discovery.yaml', [/discovery\.yaml:2:1: discovery names no source/]],
    ['source.yaml', [/source\.yaml:3:3: discovery has no option "nacso", did you mean "nacos"/]],
    [
      'http.yaml',
      [
        /http\.yaml:3:11: discovery\.http has no option "uri", did you mean "url"/,
        /http\.yaml:3:19: discovery\.http\.url is an http or https URL without user, received "ftp/,
      ],
    ],
    ['nacos.yaml', [/nacos\.yaml:2:10: rules\.nacos needs discovery\.nacos/]],
    ['many.yaml', [/many\.yaml:2:1: trust is one of .*did you mean "edge"/]],
    [
      'parts.yaml',
      [
        /parts\.yaml:3:13: upstream has no option "conectTimeoutMs"/,
        /parts\.yaml:6:41: rules\[0]\.when\.header\.exakt .*did you mean "exact"/,
        /parts\.yaml:9:28: routes\[0] has no option "servce", did you mean "service"/,
        /parts\.yaml:10:5: routes\[1]\.path begins with "\/"/,
        /routes\.yaml:8:11: spec\.rules\[0]\.filters\[0]\.type is RequestHeaderModifier/,
        /missing\.yaml cannot be read/,
        /parts\.yaml:14:31: listeners\[0]\.tls\.cert cannot be read/,
      ],
    ],
    [
      'all.yaml',
      [
        /all\.yaml:1:1: version is 1, received 2/,
        /all\.yaml:2:1: .*"listners", did you mean "listeners"/,
        /all\.yaml:3:1: .*"acessLog", did you mean "accessLog"/,
        /all\.yaml:4:1: trust is one of/,
        /all\.yaml:5:1: .*header/,
        /all\.yaml:6:1: proxies is a whole number/,
        /all\.yaml:7:1: hostHeader is one of/,
        /all\.yaml:8:10: admin has no option "prot"/,
        /all\.yaml:8:19: admin\.port is a whole number/,
        /all\.yaml:9:13: upstream\.connectTimeoutMs is/,
        /all\.yaml:9:34: upstream\.keepAliveMs is/,
        /all\.yaml:9:50: upstream has no option "tls"/,
        /all\.yaml:10:10: drain\.delayMs is/,
        /all\.yaml:10:23: drain\.timeoutMs is/,
        /all\.yaml:12:7: listeners\[0]\.port is/,
        /all\.yaml:12:20: listeners\[0]\.protocol is one of/,
        /all\.yaml:12:36: listeners\[0] has no option "hots"/,
        /all\.yaml:13:23: listeners\[1]\.tls is for protocol https/,
        /all\.yaml:13:30: listeners\[1]\.tls\.cert cannot be read/,
        /all\.yaml:13:44: listeners\[1]\.tls\.key is a file name/,
        /all\.yaml:13:52: listeners\[1]\.tls has no option "kye"/,
        /all\.yaml:16:42: discovery\.static\["sc-a"]\[1] is no endpoint: port is/,
        /all\.yaml:16:72: discovery\.static\["sc-a"]\[2] is no endpoint: .*received 5/,
        /all\.yaml:17:5: discovery\.static\["sc-b"] is a list of endpoints/,
        /all\.yaml:18:3: discovery has no option "nacso"/,
        /all\.yaml:19:12: discovery\.nacos\.servers has host:port or an http\(s\) URL, received "nacos:\/\/host:8848"/,
        /all\.yaml:19:12: discovery\.nacos\.servers has no user and password/,
        /all\.yaml:19:60: discovery\.nacos has no option "user"/,
        /all\.yaml:20:3: discovery\.whenLaneMissing is one of/,
        /all\.yaml:21:3: discovery\.balancer is one of/,
        /all\.yaml:23:28: routes\[0] has no option "servce"/,
        /all\.yaml:23:42: routes\[0] has no option "pth"/,
        /all\.yaml:24:5: routes\[1] is an object, received 5/,
        /all\.yaml:25:7: routes\[2]\.path begins with "\/"/,
        /all\.yaml:26:14: routesFrom\[0] is a file name, received 5/,
        /missing\.yaml cannot be read/,
        /all\.yaml:27:1: rules is a list, or has one of file, nacos/,
      ],
    ],
    ['two.yaml', [/two\.yaml:4:1: a configuration is one document; what follows --- would not be read/]],
    [
      'rules.null.yaml',
      [/:3:1: rules takes an options object, received null/, /:4:1: routes is a list, received null/],
    ],
    ['scheme.yaml', [/scheme\.yaml:3:12: .*received "nacos:\/\/host:8848"/]],
    ['bom.yaml', [/bom\.yaml:1:1: version is 1/]],
    ['rules-file.yaml', [/rules\.yaml:4:5: rules\[0]\.lane/]],
  ]
  for (const [name, patterns] of cases) {
    const { code, out, errors } = await command('--check', '--config', file(name))
    t.equal(code, 1, name)
    t.equal(out, '')
    for (const pattern of patterns) t.match(errors, pattern, name)
    t.notMatch(errors, /secret/, 'no password')
    if (name === 'all.yaml') t.equal(errors.split('\n').length, patterns.length, errors)
  }
})

t.test('--check and --print-config of a good one', async t => {
  const { file } = folder(t, {
    'gateway.yaml': `version: 1
discovery: { nacos: { servers: nacos:8848, username: u, password: secret } }
routesFrom: [routes.yaml]
routes: [{ service: sc-a }]
`,
    'routes.yaml': 'kind: Service\n---\nkind: HTTPRoute\nspec: { rules: [{ backendRefs: [{ name: sc-b }] }] }\n',
  })
  const checked = await command('--check', '-c', file('gateway.yaml'))
  t.match(checked, { code: 0, out: /gateway\.yaml: ok, 2 routes/ })
  t.match(checked.errors, /routes\.yaml:1:1: kind "Service" is ignored/)
  const printed = await command('--print-config', '-c', file('gateway.yaml'))
  t.equal(JSON.parse(printed.out).discovery.nacos.servers, 'nacos:8848')
  t.notMatch(printed.out, /secret/)
})

t.test('the configuration is followed: routes, rules inside and outside; what is bad changes nothing', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }], 'sc-b': [{}] })
  const config = (routes: string, more = '') => `version: 1
listeners: [{ host: 127.0.0.1, port: 0 }]
discovery: { static: ${JSON.stringify(services)} }
accessLog: false
drain: { delayMs: 0, timeoutMs: 0 }
routes: ${routes}
${more}`
  const inline = (lane: string) => `rules: [{ name: all, lane: ${lane} }]\n`
  const { file, replace } = folder(t, {
    'gateway.yaml': config('[{ service: sc-a }]', inline('gray')),
    'routes.yaml': 'kind: HTTPRoute\nspec: { rules: [{ backendRefs: [{ name: sc-b }] }] }\n',
  })
  const said: string[] = []
  const warn = (message: string) => {
    said.push(message)
  }
  const started = await startGateway(file('gateway.yaml'), { warn, notice: warn })
  t.teardown(() => started.close())
  const { port } = started.gateway.address()
  const at = async () => (await send(port)).json?.at
  t.equal(await at(), 'sc-a-gray')
  replace('gateway.yaml', config('[{ service: sc-a }]', inline('~')))
  // By itself, within a second or so.
  for (let look = 0; (await at()) !== 'sc-a' && look < 1000; look++)
    await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(await at(), 'sc-a')
  replace('gateway.yaml', config('[{ servce: sc-a }]'))
  t.notOk(started.reload())
  t.equal(await at(), 'sc-a')
  t.match(started.gateway.metrics(), 'reloads_total{what="config",result="refused"} 1')
  t.match(said.at(-1), /refused, the last good one stays.*gateway\.yaml:6:12: routes\[0] has no option "servce"/s)
  replace('gateway.yaml', config('[]', 'routesFrom: [routes.yaml]\nupstream: { connections: 7 }\n'))
  t.ok(started.reload())
  t.equal(await at(), 'sc-b')
  // The first change, and this one.
  t.match(started.gateway.metrics(), 'reloads_total{what="routes",result="taken"} 2')
  t.match(started.gateway.metrics(), 'reloads_total{what="rules",result="taken"} 1')
  t.match(said.join('\n'), /upstream, rules of .* take effect after a restart|rules, upstream of/)
})

t.test('rules of a file and TLS of files', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { file, replace } = folder(t, {
    'gateway.yaml': `version: 1
listeners:
  - { host: 127.0.0.1, port: 0 }
  - { host: 127.0.0.1, port: 0, protocol: https, tls: { cert: tls.crt, key: tls.key } }
discovery: { static: ${JSON.stringify(services)} }
rules: { file: rules.yaml }
routes: [{ service: sc-a }]
accessLog: false
drain: { delayMs: 0, timeoutMs: 0 }
`,
    'rules.yaml': 'version: 1\nrules: [{ name: all, lane: gray }]\n',
    'tls.crt': cert,
    'tls.key': key,
  })
  const started = await startGateway(file('gateway.yaml'), { warn: () => {} })
  t.teardown(() => started.close())
  const at = async () => (await send(started.gateway.address().port)).json?.at
  t.equal(await at(), 'sc-a-gray')
  t.ok(started.gateway.address(1).port > 0)
  const reloads = () => /reloads_total.*/g[Symbol.match](started.gateway.metrics())?.slice(2) ?? []
  const untilReloads = async (count: number) => {
    while (reloads().length < count) await new Promise(resolve => setTimeout(resolve, 10))
  }
  t.strictSame(reloads(), [], 'the start is no reload')
  replace('rules.yaml', '\ufeff{"version":1,"rules":[]}\n')
  await untilReloads(1)
  t.equal(await at(), 'sc-a', 'JSON with a byte order mark')
  replace('rules.yaml', '{"version":1,"rules":5}\n')
  await untilReloads(2)
  t.equal(await at(), 'sc-a')
  t.strictSame(reloads(), [
    'reloads_total{what="rules",result="taken"} 1',
    'reloads_total{what="rules",result="refused"} 1',
  ])
})

t.test('a port that is taken ends the command with 1', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const { file } = folder(t, {
    'gateway.yaml': `version: 1
listeners: [{ host: 127.0.0.1, port: ${services['sc-a']![0]!.port} }]
discovery: { static: ${JSON.stringify(services)} }
routes: [{ service: sc-a }]
drain: { delayMs: 0, timeoutMs: 0 }
`,
  })
  t.match(await command('-c', file('gateway.yaml')), { code: 1, errors: /EADDRINUSE/ })
})

t.test('the command as a process: listens, says where, drains on SIGTERM and ends with 0', async t => {
  const services = await startServices(t, { 'sc-a': [{}] })
  const [port, admin] = [await refusedPort(), await refusedPort()]
  const { file } = folder(t, {
    'gateway.yaml': `version: 1
listeners: [{ host: 127.0.0.1, port: ${port} }]
admin: { host: 127.0.0.1, port: ${admin} }
discovery: { static: ${JSON.stringify(services)} }
routes: [{ service: sc-a }]
drain: { delayMs: 0 }
`,
  })
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--conditions=@laneway/source',
      'packages/gateway/src/bin.ts',
      '--config',
      file('gateway.yaml'),
    ],
    { env: { ...process.env, NODE_OPTIONS: '' } },
  )
  t.teardown(() => child.kill('SIGKILL'))
  let errors = ''
  let out = ''
  child.stdout.on('data', chunk => {
    out += chunk
  })
  const listening = new Promise<void>(resolve => {
    child.stderr.on('data', chunk => {
      errors += chunk
      if (errors.includes('listens on')) resolve()
    })
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  await listening
  t.match(errors, `listens on 127.0.0.1:${port}, admin on 127.0.0.1:${admin}`)
  t.equal((await send(port, { path: '/x' })).json.at, 'sc-a')
  t.equal((await send(admin, { path: '/readyz' })).status, 200)
  child.kill('SIGTERM')
  t.equal(await ended, 0)
  t.match(JSON.parse(out), { path: '/x', status: 200, service: 'sc-a' })
})
