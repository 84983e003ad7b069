// Mistakes that a person makes, and what Laneway says about each. Whoever has not read the documentation must understand
// these messages: what was seen, what was expected, and the fix.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseLane, runInLane } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import {
  createFileSource,
  createLaneResolver,
  createStaticSource,
  type EndpointInput,
  type LaneResolverOptions,
  type Source,
} from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { LaneAgent } from '@laneway/http'
import { createKubernetesSource } from '@laneway/kubernetes'
import { createNacosClient, registerInstance } from '@laneway/nacos'
import { compileRules } from '@laneway/rules'
import { listen } from '@laneway/testkit'
import { composeLane } from '@laneway/undici'
import express from 'express'
import t, { type Test } from 'tap'
import { Client } from 'undici'
import { readConfig } from '../packages/register/src/config/config.js'
import { loadOnDemand } from '../packages/register/src/on-demand.js'

/** What is said about a mistake: an error, the first warning, or a text that was asked for. */
type Mistake = (t: Test, warn: (message: string) => void) => unknown

const env =
  (variables: Record<string, string>, folder = '/nonexistent') =>
  () =>
    readConfig(variables, folder)

const file =
  (text: string): Mistake =>
  t => {
    const folder = mkdtempSync(join(tmpdir(), 'laneway-mistake-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'laneway.config.json'), text)
    try {
      readConfig({}, folder)
    } catch (error) {
      throw new Error((error as Error).message.replaceAll(folder, '/app'))
    }
  }

const at: EndpointInput = { host: '10.0.0.1', port: 8081 }
const gray: EndpointInput = { host: '10.0.0.2', port: 8081, tags: ['gray'] }

function resolverOf(t: Test, services: Record<string, EndpointInput[]>, options: Partial<LaneResolverOptions> = {}) {
  const source = createStaticSource(services)
  const resolver = createLaneResolver({ sources: [source], services: Object.keys(services), env: {}, ...options })
  t.teardown(() => resolver.close())
  return resolver
}

/** The error of a request that no instance can take. */
const refused =
  (
    services: Record<string, EndpointInput[]>,
    lane: string | undefined,
    options: Partial<LaneResolverOptions> = {},
  ): Mistake =>
  t => {
    const resolver = resolverOf(t, services, options)
    const choice = resolver.pick('svc-b', parseLane(lane))
    throw resolver.refusal(choice, parseLane(lane))
  }

const explained =
  (services: Record<string, EndpointInput[]>, lane: string): Mistake =>
  t =>
    resolverOf(t, services).explain('svc-b', lane).reason

/** The hint that follows a call which found nobody. */
const called =
  (host: string, port?: number): Mistake =>
  async (t, warn) => {
    const source: Source = {
      ...createStaticSource({ 'svc-b': [at, { ...at, port: 8082 }] }),
      name: 'nacos',
      where: '127.0.0.1:8848, namespace public, group DEFAULT_GROUP',
    }
    const resolver = createLaneResolver({ sources: [source], env: {}, warn })
    t.teardown(() => resolver.close())
    resolver.match('svc-b', undefined, false)
    if (resolver.match(host, undefined, false) === host) await resolver.lookup(host)
    const lookup = (_host: string, _options: object, done: (error: Error) => void) =>
      done(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', hostname: host }))
    await new Promise(resolve =>
      get({ host, port: port ?? 80, lookup: lookup as never, agent: false }).on('error', resolve),
    )
  }

const registering =
  (more: object): Mistake =>
  async t => {
    const nacos = createNacosClient({ servers: '127.0.0.1:1', warn() {} })
    t.teardown(() => nacos.close())
    await registerInstance(nacos, { service: 'svc-b', port: 8081, ip: '10.0.0.1', ...more } as never)
  }

const request = (headers: Record<string, string>) => ({
  headers,
  rawHeaders: Object.entries(headers).flat(),
  socket: { remoteAddress: '10.0.0.7' },
})

const MISTAKES: readonly (readonly [name: string, mistake: Mistake, message: string])[] = [
  // Settings of the process.
  [
    'a variable with a slip of the pen',
    env({ LANEWAY_TURST: 'edge' }),
    'LANEWAY_INVALID_OPTION: there is no variable LANEWAY_TURST, did you mean LANEWAY_TRUST?',
  ],
  [
    'a variable that is nothing like one',
    env({ LANEWAY_XYZ: '1' }),
    'LANEWAY_INVALID_OPTION: there is no variable LANEWAY_XYZ; SETTINGS.md of @laneway/register lists all',
  ],
  [
    'a trust that does not exist',
    env({ LANEWAY_TRUST: 'egde' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_TRUST is one of "private", "internal", "edge", received "egde", did you mean "edge"?',
  ],
  [
    'a port beyond all ports',
    env({ LANEWAY_PORT: '99999' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_PORT is a whole number from 1 to 65535, received "99999"',
  ],
  [
    'a port that is no number',
    env({ LANEWAY_PORT: 'http' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_PORT is a whole number from 1 to 65535, received "http"',
  ],
  [
    'a weight below zero',
    env({ LANEWAY_WEIGHT: '-1' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_WEIGHT is a whole number from 0 to 10000, received "-1"',
  ],
  [
    'a time with a unit',
    env({ LANEWAY_LEAVE_DELAY_MS: '40s' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_LEAVE_DELAY_MS is a whole number of milliseconds from 0 to 2147483647, received "40s"',
  ],
  [
    'a flag that is neither on nor off',
    env({ LANEWAY_KUBERNETES: 'yes' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_KUBERNETES is 1 (on) or 0 (off), received "yes"',
  ],
  [
    'metadata without values',
    env({ LANEWAY_METADATA: 'version' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_METADATA is a list of key=value pairs, separated by commas, received "version"',
  ],
  [
    'policies that are no JSON',
    env({ LANEWAY_POLICIES: '{service:pay}' }),
    `LANEWAY_INVALID_OPTION: LANEWAY_POLICIES is JSON (Expected property name or '}' in JSON at position 1), received "{service:pay}"`,
  ],
  [
    'a part that cannot be switched off',
    env({ LANEWAY_DISABLE: 'undcii' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_DISABLE: there is no part "undcii", did you mean "undici"?',
  ],
  [
    'a policy that does not exist',
    env({ LANEWAY_WHEN_LANE_MISSING: 'panic' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_WHEN_LANE_MISSING is one of "base", "fail", received "panic"',
  ],
  [
    'a balancer that does not exist',
    env({ LANEWAY_BALANCER: 'random' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_BALANCER is one of "weighted-random", "round-robin", "least-request", received "random"',
  ],
  [
    'a password twice',
    env({ LANEWAY_NACOS_PASSWORD: 'a', LANEWAY_NACOS_PASSWORD_FILE: '/b' }),
    'LANEWAY_INVALID_OPTION: LANEWAY_NACOS_PASSWORD and LANEWAY_NACOS_PASSWORD_FILE are both set; keep one of them',
  ],
  [
    'a password file that is not there',
    env({ LANEWAY_NACOS_PASSWORD_FILE: '/nonexistent/password' }),
    "LANEWAY_INVALID_OPTION: LANEWAY_NACOS_PASSWORD_FILE names a file that cannot be read: ENOENT: no such file or directory, open '/nonexistent/password'",
  ],
  [
    'a password file that is empty',
    t => {
      const path = join(t.testdir({ password: '\n' }), 'password')
      try {
        readConfig({ LANEWAY_NACOS_PASSWORD_FILE: path }, '/nonexistent')
      } catch (error) {
        throw new Error((error as Error).message.replace(path, '/password'))
      }
    },
    'LANEWAY_INVALID_OPTION: LANEWAY_NACOS_PASSWORD_FILE names an empty file, /password; write the password into it',
  ],
  [
    'a configuration file with an unknown name',
    file('{ "trustt": "edge" }'),
    'LANEWAY_INVALID_OPTION: /app/laneway.config.json has no option "trustt", did you mean "trust"?',
  ],
  [
    'a configuration file that is no JSON',
    file('{ trust: edge }'),
    "LANEWAY_INVALID_OPTION: /app/laneway.config.json cannot be read: /app/laneway.config.json: Expected property name or '}' in JSON at position 2",
  ],
  [
    'a number in quotes in the configuration file',
    file('{ "port": "8080" }'),
    'LANEWAY_INVALID_OPTION: /app/laneway.config.json: port is a whole number from 1 to 65535, without quotes, received "8080"',
  ],
  [
    'a package that is not installed',
    () => loadOnDemand('@laneway/not-there', 'LANEWAY_NOT_THERE'),
    'LANEWAY_INVALID_OPTION: LANEWAY_NOT_THERE needs @laneway/not-there: npm install @laneway/not-there',
  ],
  [
    'a package that lacks one of its own',
    t => {
      const folder = t.testdir({ node_modules: { half: { 'index.js': "require('@opentelemetry/not-there')" } } })
      const before = process.cwd()
      process.chdir(folder)
      try {
        loadOnDemand('half', 'LANEWAY_OTEL')
      } finally {
        process.chdir(before)
      }
    },
    'LANEWAY_INVALID_OPTION: LANEWAY_OTEL needs half, and that needs @opentelemetry/not-there: npm install @opentelemetry/not-there',
  ],
  // The registry.
  [
    'no server',
    () => createNacosClient({ servers: '' }),
    'LANEWAY_INVALID_OPTION: createNacosClient: servers is empty, received ""; name at least one, as host:8848',
  ],
  [
    'a server with a scheme that is none',
    () => createNacosClient({ servers: 'nacos://nacos:8848' }),
    'LANEWAY_INVALID_OPTION: createNacosClient: "nacos://nacos:8848" has the scheme nacos; write "nacos:8848", or http or https, which say how to log in',
  ],
  [
    'a login inside the address',
    () => createNacosClient({ servers: 'nacos:secret@nacos:8848' }),
    'LANEWAY_INVALID_OPTION: createNacosClient: a server is host:port without user and password; give username and password as options',
  ],
  [
    'a server where nobody listens',
    async t => {
      const nacos = createNacosClient({ servers: '127.0.0.1:1', operationTimeoutMs: 50, warn() {} })
      t.teardown(() => nacos.close())
      await nacos.ready()
    },
    'LANEWAY_NACOS_UNAVAILABLE: no Nacos server within 50 ms at 127.0.0.1:1001 (the gRPC port: the configured port 1 plus 1000): 127.0.0.1:1001 did not answer ServerCheckRequest: The pending stream has been canceled (caused by: connect ECONNREFUSED 127.0.0.1:1001)',
  ],
  [
    'registering without a port',
    registering({ port: undefined }),
    'LANEWAY_INVALID_OPTION: registerInstance needs port or server',
  ],
  [
    'registering a port beyond all ports',
    registering({ port: 99_999 }),
    'LANEWAY_INVALID_OPTION: registerInstance: port is a whole number from 1 to 65535, received 99999',
  ],
  [
    'registering in a lane that is none',
    registering({ lane: 'gray!' }),
    'LANEWAY_INVALID_TAG: registerInstance: lane: "gray!" is not a lane; a lane is 1 to 4 tags joined by commas, a tag is 1 to 63 characters of A-Z a-z 0-9 . _ - that begin and end with a letter or digit',
  ],
  [
    'metadata with a tag that is none',
    registering({ metadata: { 'alicloud.service.tag': 'gray lane' } }),
    'LANEWAY_INVALID_TAG: registerInstance: the metadata has the tag "gray lane"; a tag is 1 to 63 characters of A-Z a-z 0-9 . _ - that begin and end with a letter or digit',
  ],
  [
    'a lane given twice',
    registering({ lane: 'gray', metadata: { 'alicloud.service.tag': 'blue' } }),
    'LANEWAY_INVALID_OPTION: registerInstance: lane is given once, as an option or in the metadata, received "gray"',
  ],
  [
    'an option with a slip of the pen',
    registering({ wieght: 2 }),
    'LANEWAY_INVALID_OPTION: registerInstance has no option "wieght", did you mean "weight"?',
  ],
  [
    'a kubeconfig that is not there',
    () => createKubernetesSource({ kubeconfig: '/nonexistent/config', env: {} }),
    "LANEWAY_SOURCE: cannot read the kubeconfig /nonexistent/config: ENOENT: no such file or directory, open '/nonexistent/config'",
  ],
  [
    'metadata with a key that is nearly right',
    (t, warn) => void resolverOf(t, { 'svc-b': [{ ...at, metadata: { 'alicloud.service.tags': 'gray' } }] }, { warn }),
    '10.0.0.1:8081 of svc-b counts as base: its metadata has the key "alicloud.service.tags", which carries no lane; did you mean "alicloud.service.tag"?',
  ],
  [
    'an instance whose tag is none',
    (t, warn) => void resolverOf(t, { 'svc-b': [{ ...at, tags: ['gray lane'] }] }, { warn }),
    'LANEWAY_INVALID_ENDPOINT: svc-b[0]: tags is a list of lane tags, received ["gray lane"]',
  ],
  // Calls.
  [
    'a service without instances',
    refused({ 'svc-b': [] }, undefined),
    'LANEWAY_NO_INSTANCES: static has no instance of svc-b; is it started, and registered there?',
  ],
  [
    'a service with instances of lanes only',
    refused({ 'svc-b': [gray] }, undefined),
    "LANEWAY_NO_BASE: svc-b cannot take a request without a lane: the service has no base instance (its lanes are gray (1)); start a base instance, or set baseEmpty: 'any' (LANEWAY_BASE_EMPTY=any), which lets an instance of any lane serve",
  ],
  [
    'a service whose only base instance has weight 0',
    refused({ 'svc-b': [{ ...at, weight: 0 }, gray] }, undefined),
    'LANEWAY_NO_BASE: svc-b cannot take a request without a lane: none of 1 base instance is usable: 1 of weight 0; enable an instance in the registry, with a weight above 0',
  ],
  [
    'a lane that must be there and is not',
    refused({ 'svc-b': [at] }, 'gray', { whenLaneMissing: 'fail' }),
    'LANEWAY_LANE_REQUIRED: svc-b cannot take a request in lane gray: there is no instance of lane gray (it has no lanes), and whenLaneMissing is "fail"; start an instance of gray, or let the policy say "base"',
  ],
  [
    'asking about something that is no lane',
    explained({ 'svc-b': [at] }, 'gray!'),
    '"gray!" is not a lane, so the request counts as one without a lane: the request has no lane; 1 of 1 instances are usable',
  ],
  [
    'asking about a lane that the service does not have',
    explained({ 'svc-b': [at, { ...gray, tags: ['grey'] }] }, 'gray'),
    'there is no instance of lane gray (its lanes are grey (1)), so base serves',
  ],
  [
    'a call without Laneway to a service that DNS does not know',
    called('svc-b'),
    'svc-b is not in DNS, but svc-b is a service (nacos 127.0.0.1:8848, namespace public, group DEFAULT_GROUP): this call did not go through Laneway. Give its client a LaneAgent (axios, got, http), composeLane() or createLaneFetch() (undici, fetch), or start the process with --import @laneway/register',
  ],
  [
    'a port that the service does not have',
    called('svc-b', 8080),
    'svc-b:8080 cannot be reached, and Laneway left it to DNS: the instances of svc-b have the ports 8081, 8082. Leave the port out of the URL, or use one of theirs',
  ],
  [
    'a name that no registry knows',
    called('svc-bb'),
    'svc-bb is not in DNS, and no instance of it is registered (nacos 127.0.0.1:8848, namespace public, group DEFAULT_GROUP); did you mean svc-b?',
  ],
  [
    'a tag in the code that is none',
    () => runInLane('gray lane', () => {}),
    'LANEWAY_INVALID_TAG: runInLane: "gray lane" is not a lane; a lane is 1 to 4 tags joined by commas, a tag is 1 to 63 characters of A-Z a-z 0-9 . _ - that begin and end with a letter or digit',
  ],
  [
    'an agent with an option of another',
    () => new LaneAgent({ keepAlive: true } as never),
    'LANEWAY_INVALID_OPTION: LaneAgent has no option "keepAlive"; it has resolver, header, baggage, keepHandSet, resolve, propagateTo, warn, connectTimeoutMs, endpointTls',
  ],
  [
    'a dispatcher of one origin',
    async t => {
      const client = new Client('http://127.0.0.1:1')
      t.teardown(() => client.destroy())
      composeLane(client, { resolver: resolverOf(t, { 'svc-b': [at] }) })
    },
    'LANEWAY_NOT_AN_AGENT: composeLane takes a dispatcher that sends each request to its own origin: an Agent, ProxyAgent, EnvHttpProxyAgent, a RetryAgent over one of these, or a MockAgent; received Client, which serves one origin (routesByOrigin: true vouches for a dispatcher of your own)',
  ],
  // The entrance.
  [
    'a first service that believes everybody behind its load balancer',
    (_t, warn) =>
      void createIngress('expressLane', { warn })(request({ 'x-mse-tag': 'gray', 'x-forwarded-for': '203.0.113.9' })),
    "expressLane: a request with X-Forwarded-For was believed when it said lane gray, because the address of the proxy in front is private. If clients outside can send the tag through it, set trust: 'edge' (LANEWAY_TRUST=edge); if only services of your own use it, trust: 'internal' (LANEWAY_TRUST=internal) says so",
  ],
  [
    'rules instead of their function',
    () => expressLane({ rules: { laneOf: () => undefined } as never }),
    'LANEWAY_INVALID_OPTION: expressLane: rules is a function, such as `laneOf` of parseRules(), received {}',
  ],
  [
    'a middleware behind the handlers',
    async (t, warn) => {
      const app = express()
      app.get('/', (_request, response) => void response.end('early'))
      app.use(expressLane({ warn }))
      const port = await listen(t, createServer(app))
      await (await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-mse-tag': 'gray' } })).text()
    },
    'a request with x-mse-tag was answered without its lane, because a handler answered before the middleware of Laneway, or outside of it: call app.use(expressLane()) before app.get(), app.use() of routers and the like',
  ],
  [
    'a file of endpoints that is not there',
    async (t, warn) => {
      let tell: () => void = () => {}
      const told = new Promise<void>(resolve => {
        tell = resolve
      })
      const source = createFileSource('/nonexistent/endpoints.json', {
        warn: message => {
          warn(message)
          tell()
        },
      })
      t.teardown(() => source.close())
      source.subscribe('svc-b', { snapshot() {}, missing() {}, stale() {} })
      await told
    },
    "LANEWAY_SOURCE: /nonexistent/endpoints.json: ENOENT: no such file or directory, open '/nonexistent/endpoints.json'; there is nothing to use",
  ],
  [
    'a rule with an unknown key',
    () => (compileRules as any)({ rules: [{ wehn: {} }] }),
    'LANEWAY_INVALID_RULES: rules: version is 1, received undefined\nrules: rules[0].wehn is not allowed, did you mean "when"?\nrules: rules[0].name is a text of 1 to 253 characters, received undefined\nrules: rules[0] has either a lane or a split',
  ],
]

t.ok(MISTAKES.length >= 40)

t.test('the page Troubleshooting quotes messages as they are', async t => {
  const page = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')
  const quoted = [...page.matchAll(/^```text\n([\s\S]*?)\n```$/gm)].map(match => match[1]!)
  t.ok(quoted.length > 10)
  for (const message of quoted)
    t.ok(
      MISTAKES.some(mistake => mistake[2] === message),
      message,
    )
})

for (const [name, mistake, message] of MISTAKES) {
  t.test(name, async t => {
    const warnings: string[] = []
    let said: unknown
    try {
      said = await mistake(t, warning => void warnings.push(warning))
    } catch (error) {
      said = (error as Error).message
    }
    // Later releases of Node say more about the place in a JSON text.
    const text = String(warnings[0] ?? said).replace(/ \(line \d+ column \d+\)/, '')
    t.equal(text, message)
  })
}
