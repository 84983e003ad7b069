import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { application, root } from './command-line.js'
import { nacosServer, registered, report, reportHere, type Setup } from './nacos-world.js'

const own = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8')) as { version: string }

/** Set-ups with one fault each, and what the doctor has to say of it first. */
const BROKEN: readonly [name: string, setup: (t: Test) => Setup | Promise<Setup>, problem: RegExp, fix: RegExp][] = [
  [
    'a variable that is misspelt',
    t => ({ folder: application(t), env: { LANEWAY_TURST: 'edge' } }),
    /there is no variable LANEWAY_TURST/,
    /^write LANEWAY_TRUST$/,
  ],
  [
    'a value out of range in the configuration file',
    t => ({ folder: application(t, ['register'], { files: { 'laneway.config.json': { port: 99_999 } } }), env: {} }),
    /laneway\.config\.json: port is a whole number from 1 to 65535, received 99999/,
    /mend this setting/,
  ],
  [
    'an own lane that is no tag',
    t => ({ folder: application(t), env: { LANEWAY_TAG: 'gray!' } }),
    /LANEWAY_TAG is not a lane tag: "gray!"/,
    /mend this setting/,
  ],
  [
    'a package that the settings need and nobody installed',
    t => ({ folder: application(t, ['register']), env: { LANEWAY_NACOS: '127.0.0.1:1' } }),
    /LANEWAY_NACOS is set and @laneway\/nacos is not installed/,
    /^npm install @laneway\/nacos$/,
  ],
  [
    'a registry that does not answer',
    t => ({ folder: application(t), env: { LANEWAY_NACOS: '127.0.0.1:1', LANEWAY_SERVICES: 'sc-b' } }),
    /nacos 127\.0\.0\.1:1, namespace public, group DEFAULT_GROUP cannot be reached: .*ECONNREFUSED/,
    /host and main port.*gRPC is 1000 above/,
  ],
  [
    'the gRPC port of Nacos in the place of the main port',
    async t => {
      const nacos = await nacosServer(t)
      return { folder: application(t), env: { LANEWAY_NACOS: `127.0.0.1:${nacos.grpcPort}` } }
    },
    /cannot be reached/,
    /gRPC is 1000 above/,
  ],
  [
    'a wrong password',
    async t => {
      const nacos = await nacosServer(t, { auth: { users: { me: 'right' } } })
      const env = { LANEWAY_NACOS: nacos.address, LANEWAY_NACOS_USERNAME: 'me', LANEWAY_NACOS_PASSWORD: 'wrong-s3cret' }
      return { folder: application(t), env }
    },
    /refuses the login/,
    /LANEWAY_NACOS_USERNAME and LANEWAY_NACOS_PASSWORD/,
  ],
  [
    'a login that Nacos wants and nobody gave',
    async t => {
      const nacos = await nacosServer(t, { auth: { users: { me: 'right' } } })
      return { folder: application(t), env: { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICES: 'sc-b' } }
    },
    /refuses the login/,
    /LANEWAY_NACOS_USERNAME/,
  ],
  [
    'a metadata key that is one letter off',
    async t => {
      const nacos = await nacosServer(t)
      await registered(
        t,
        nacos,
        { service: 'sc-b' },
        { service: 'sc-b', metadata: { 'alicloud.service.tags': 'gray' } },
      )
      return { folder: application(t), env: { LANEWAY_NACOS: nacos.address } }
    },
    /10\.0\.0\.2:8080 of sc-b counts as base: its metadata has the key "alicloud\.service\.tags"/,
    /register it with alicloud\.service\.tag in the place of alicloud\.service\.tags/,
  ],
  [
    'a declared service under another name',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b' }, { service: 'sc-c' })
      return { folder: application(t), env: { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICES: 'sc-c,scb' } }
    },
    /no instance of scb, which LANEWAY_SERVICES names; did you mean sc-b\?/,
    /spelling.*LANEWAY_NACOS_NAMESPACE/,
  ],
  [
    'a service that has a lane and no base',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b', lane: 'gray' })
      return { folder: application(t), env: { LANEWAY_NACOS: nacos.address } }
    },
    /sc-b has no base instance, only gray/,
    /without LANEWAY_TAG/,
  ],
  [
    'a base of weight 0',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b', weight: 0 }, { service: 'sc-b', lane: 'gray' })
      return { folder: application(t), env: { LANEWAY_NACOS: nacos.address } }
    },
    /sc-b has 1 base instance\(s\) and none is usable: all of weight 0/,
    /weight/,
  ],
  [
    'an instance here that was started before the lane was set',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b', ip: '127.0.0.1', port: 8099 })
      const env = { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-b', LANEWAY_PORT: '8099', LANEWAY_TAG: 'gray' }
      return { folder: application(t), env }
    },
    /sc-b at 127\.0\.0\.1:8099 is registered as base, and this environment says gray/,
    /start it again/,
  ],
  [
    'two copies of a package',
    t => {
      const folder = application(t, ['register'], {
        manifest: { dependencies: { '@laneway/register': '^0.1.0', '@laneway/core': '^99.2.0' } },
        files: { 'node_modules/@laneway/core/package.json': { name: '@laneway/core', version: '99.2.0' } },
      })
      return { folder, env: {} }
    },
    /@laneway\/core is installed in 2 copies: 99\.2\.0 in .*, \d+\.\d+\.\d+ in /,
    /npm dedupe/,
  ],
  [
    'an undici without interceptors',
    t => {
      const folder = application(t, ['register'], {
        manifest: { dependencies: { '@laneway/register': '^0.1.0', client: '1.0.0' } },
        files: {
          'node_modules/client/package.json': { name: 'client', version: '1.0.0', dependencies: { undici: '^5.0.0' } },
          'node_modules/client/node_modules/undici/package.json': { name: 'undici', version: '5.28.4' },
        },
      })
      return { folder, env: {} }
    },
    /undici 5\.28\.4 in .* has no interceptors/,
    /undici 7/,
  ],
  [
    'OpenTelemetry before register',
    t => {
      const manifest = { scripts: { start: 'node --import ./tracing.mjs --import @laneway/register app.js' } }
      return { folder: application(t, ['register'], { manifest }), env: {} }
    },
    /script "start" preloads \.\/tracing\.mjs before @laneway\/register/,
    /--import @laneway\/register --import \.\/tracing\.mjs/,
  ],
  [
    'NODE_OPTIONS that name register where it is not installed',
    t => {
      const manifest = { scripts: { start: 'node --import @laneway/register app.js' } }
      return { folder: application(t, [], { manifest }), env: {} }
    },
    /script "start" preloads @laneway\/register, which is not found from/,
    /npm install @laneway\/register.*npx laneway run/,
  ],
  [
    'rules of an entrance that believes its peers',
    t => {
      const files = { 'rules.yaml': 'version: 1\nrules: []\n' }
      return { folder: application(t, ['register', 'rules'], { files }), env: { LANEWAY_RULES: 'rules.yaml' } }
    },
    /trust is "private": behind a load balancer every client may colour itself/,
    /^LANEWAY_TRUST=edge$/,
  ],
  [
    'a file of endpoints that is none',
    t => ({
      folder: application(t, ['register'], { files: { 'endpoints.json': '{ "services": ' } }),
      env: { LANEWAY_ENDPOINTS_FILE: 'endpoints.json' },
    }),
    /file .*endpoints\.json cannot be used/,
    /mend the file/,
  ],
  [
    'a name to register and no registry',
    t => ({
      folder: application(t, ['register'], { files: { 'endpoints.json': { services: {} } } }),
      env: { LANEWAY_SERVICE: 'sc-b', LANEWAY_ENDPOINTS_FILE: 'endpoints.json' },
    }),
    /LANEWAY_SERVICE is sc-b and no registry is configured/,
    /set LANEWAY_NACOS/,
  ],
  [
    'a build of ES modules that is required',
    t => {
      const start = 'node --require ./node_modules/@laneway/register/dist/esm/index.js app.js'
      return { folder: application(t, ['register'], { manifest: { scripts: { start } } }), env: {} }
    },
    /script "start" requires \.\/node_modules\/@laneway\/register\/dist\/esm\/index\.js, an ES module, which Node 20/,
    /^--require @laneway\/register,/,
  ],
  [
    'ts-node behind --import',
    t => {
      const start = 'node --import @laneway/register -r ts-node/register app.ts'
      return { folder: application(t, ['register'], { manifest: { scripts: { start } } }), env: {} }
    },
    /script "start" has --import, .* which ts-node\/register does not see/,
    /^node -r @laneway\/register -r ts-node\/register app\.ts$/,
  ],
  [
    'a path in NODE_OPTIONS that leads nowhere',
    t => ({
      folder: application(t, ['register']),
      env: { NODE_OPTIONS: '--require /opt/app/node_modules/@laneway/register/dist/commonjs/index.js' },
    }),
    /NODE_OPTIONS preloads \/opt\/app\/node_modules\/@laneway\/register\/dist\/commonjs\/index\.js, which is not found/,
    /npx laneway run/,
  ],
  [
    'two copies of one version',
    t => {
      const folder = application(t, ['register'], {
        manifest: { dependencies: { '@laneway/register': '^0.1.0', '@laneway/core': '^0.1.0' } },
        files: { 'node_modules/@laneway/core/package.json': { name: '@laneway/core', version: own.version } },
      })
      return { folder, env: {} }
    },
    new RegExp(`@laneway/core is installed in 2 copies: ${own.version} in .*, ${own.version} in `),
    /npm dedupe/,
  ],
  [
    'a namespace with a slip of the pen',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b' })
      return { folder: application(t), env: { LANEWAY_NACOS: nacos.address, LANEWAY_NACOS_NAMESPACE: 'prdo' } }
    },
    /no instance of any service in namespace prdo \(LANEWAY_NACOS_NAMESPACE\)/,
    /spelling of that place/,
  ],
  [
    'a group with a slip of the pen, and declared services',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b' })
      const env = { LANEWAY_NACOS: nacos.address, LANEWAY_NACOS_GROUP: 'DEFAULT', LANEWAY_SERVICES: 'sc-b' }
      return { folder: application(t), env }
    },
    /no instance of sc-b, which LANEWAY_SERVICES names; there are no services/,
    /LANEWAY_NACOS_NAMESPACE and LANEWAY_NACOS_GROUP/,
  ],
  [
    'a file of rules with a mistake',
    t => {
      const files = {
        'rules.yaml': 'version: 1\nrules:\n  - name: a\n    lane: "not a lane"\n    when: { path: { prefix: / } }\n',
      }
      const env = { LANEWAY_RULES: 'rules.yaml', LANEWAY_TRUST: 'edge' }
      return { folder: application(t, ['register', 'rules'], { files }), env }
    },
    /the rules are wrong: rules\.yaml:4:\d+: rules\[0\]\.lane is no lane/,
    /^npx laneway check rules\.yaml$/,
  ],
  [
    'a file of rules that is not there',
    t => ({
      folder: application(t, ['register', 'rules']),
      env: { LANEWAY_RULES: 'rulse.yaml', LANEWAY_TRUST: 'edge' },
    }),
    /LANEWAY_RULES names a file that cannot be read: ENOENT/,
    /mend the path/,
  ],
  [
    'a port that another program has',
    async t => {
      const nacos = await nacosServer(t)
      await registered(t, nacos, { service: 'sc-b' })
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      t.teardown(() => other.close())
      const { port } = other.address() as AddressInfo
      const env = { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-b', LANEWAY_PORT: String(port) }
      return { folder: application(t), env }
    },
    /a program listens on port \d+ here \(LANEWAY_PORT\), and no instance of sc-b is registered with it/,
    /end that program/,
  ],
  [
    'a password file that is empty',
    t => {
      const folder = application(t, ['register', 'nacos'], { files: { password: '\n' } })
      const env = { LANEWAY_NACOS: '127.0.0.1:1', LANEWAY_NACOS_USERNAME: 'me' }
      return { folder, env: { ...env, LANEWAY_NACOS_PASSWORD_FILE: join(folder, 'password') } }
    },
    /LANEWAY_NACOS_PASSWORD_FILE names an empty file/,
    /mend this setting/,
  ],
]

/** How many there are. */
export const brokenSetUps = BROKEN.length

/** Lets the doctor look at some of them; each is a program that runs, or a call in this process. */
export function doctorTests(t: Test, from: number, to = BROKEN.length, inProcess = false): void {
  for (const [name, setup, problem, fix] of BROKEN.slice(from, to)) {
    t.test(`the doctor names first: ${name}`, async t => {
      const made = await setup(t)
      const found = await (inProcess ? reportHere(made) : report(made))
      t.equal(found.code, 1)
      t.equal(found.ok, false)
      t.match(found.findings[0]?.problem, problem)
      t.match(found.findings[0]?.fix, fix)
      t.equal(found.findings.length, 1, JSON.stringify(found.findings.slice(1)))
      const secrets = Object.entries(made.env).filter(([key]) => key.endsWith('PASSWORD'))
      for (const [, secret] of secrets) t.notMatch(JSON.stringify(found), secret)
    })
  }
}
