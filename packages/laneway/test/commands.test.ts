import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { command, folderWith, root, start } from './command-line.js'
import { nacosServer } from './nacos-world.js'

t.jobs = 2
const fixtures = join(root, 'packages/laneway/test/fixtures')
const FILE = ['--file', join(fixtures, 'endpoints.json')]

t.test('lanes: one row per lane, base first, also where base is empty', async t => {
  const { code, stdout } = await command(['lanes', ...FILE, '--json'], { folder: fixtures })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), [
    { service: 'sc-b', lane: 'base', instances: 1, healthy: 1, weight: 1, versions: ['1.0.0'] },
    { service: 'sc-b', lane: 'gray', instances: 2, healthy: 1, weight: 2, versions: ['1.1.0'] },
    { service: 'sc-c', lane: 'base', instances: 0, healthy: 0, weight: 0, versions: [] },
    { service: 'sc-c', lane: 'blue', instances: 1, healthy: 1, weight: 1, versions: [] },
  ])
  const one = await command(['lanes', 'sc-c', ...FILE], { folder: fixtures })
  t.match(
    one.stdout,
    /^SERVICE +LANE +INSTANCES +HEALTHY +WEIGHT +VERSION +AGE\nsc-c +base +0 +0 +0 +- .*\n +blue +1 +1 +1 +- /,
  )
})

t.test('lanes: the registry is that of the settings, and one that cannot be reached is code 3', async t => {
  const settings = { LANEWAY_ENDPOINTS_FILE: join(fixtures, 'endpoints.json') }
  t.match((await command(['lanes'], { folder: fixtures, env: settings })).stdout, 'sc-b')
  const lost = await command(['lanes', '--nacos', '127.0.0.1:1'], { folder: fixtures, env: settings })
  t.equal(lost.code, 3)
  t.equal(lost.stdout, '')
  t.match(lost.stderr, /^nacos 127\.0\.0\.1:1, namespace public.* cannot be reached: .*ECONNREFUSED/)
  const none = await command(['lanes'], { folder: folderWith(t, {}) })
  t.equal(none.code, 2)
  t.match(none.stderr, /no registry is configured: give --nacos/)
})

t.test('lanes: an instance whose metadata almost says a lane is named below the table', async t => {
  const misspelt = { host: '10.0.0.5', port: 80, metadata: { 'alicloud.service.tags': 'gray' } }
  const folder = folderWith(t, { 'endpoints.json': { services: { 'sc-b': [], 'sc-d': [misspelt] } } })
  const { code, stdout, stderr } = await command(['lanes', '--file', join(folder, 'endpoints.json')], { folder })
  t.equal(code, 0)
  t.match(stdout, /sc-d +base +1 /)
  t.match(stderr, /^10\.0\.0\.5:80 of sc-d counts as base: .* did you mean "alicloud\.service\.tag"\?\n$/)
})

t.test('lanes --kafka: what is missing or wrong is said, with what mends it', async t => {
  const folder = folderWith(t, { 'package.json': {}, 'broken.json': '{' })
  for (const [args, said] of [
    [['--kafka', 'kafka:9092'], /--kafka in .* needs kafkajs: npm install kafkajs/],
    [['--kafka', 'kafka'], /--kafka is brokers host:port, .* received "kafka"/],
    [['--kafka', 'kafka:9092,http://kafka:9092'], /--kafka is brokers host:port/],
    [['--kafka', 'broken.json'], /broken\.json cannot be read/],
    [['--kafka', 'absent.mjs'], /absent\.mjs cannot be read/],
    [['orders', '--kafka', 'kafka:9092'], /laneway lanes end <group> <lane>/],
    [['end', 'orders', '--kafka', 'kafka:9092'], /laneway lanes end <group> <lane>/],
    [['end', 'orders', 'no tag', '--kafka', 'kafka:9092'], /laneway lanes end <group> <lane>/],
  ] as const) {
    const { code, stdout, stderr } = await command(['lanes', ...args], { folder })
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, said)
  }
})

t.test('lanes, explain: a registry that refuses the login is code 3, never "no services"', async t => {
  const nacos = await nacosServer(t, { auth: { users: { me: 'right' } } })
  const registry = ['--nacos', nacos.address, '--timeout', '20000']
  const login = { LANEWAY_NACOS_USERNAME: 'me', LANEWAY_NACOS_PASSWORD: 'wrong-s3cret' }
  for (const [name, env, said] of [
    ['a wrong password', login, /login of "me" failed: .*; look at username and password \(LANEWAY_NACOS_USERNAME/],
    ['no login', {}, /Nacos wants a login: .*; give username and password \(LANEWAY_NACOS_USERNAME/],
  ] as const) {
    const all = await command(['lanes', ...registry], { folder: fixtures, env })
    t.equal(all.code, 3, name)
    t.equal(all.stdout, '', name)
    t.match(all.stderr, /^nacos 127\.0\.0\.1:\d+, namespace public, group DEFAULT_GROUP refuses: LANEWAY_AUTH: /, name)
    t.match(all.stderr, said, name)
    const one = await command(['lanes', 'sc-b', ...registry], { folder: fixtures, env })
    t.equal(one.code, 3, name)
    t.equal(one.stdout, '', name)
    t.match(one.stderr, said, name)
    const why = await command(['explain', 'sc-b', ...registry], { folder: fixtures, env })
    t.equal(why.code, 3, name)
    t.match(why.stdout + why.stderr, said, name)
    for (const { stdout, stderr } of [all, one, why]) t.notMatch(stdout + stderr, 's3cret', name)
  }
})

t.test('lanes, doctor: a kubeconfig that is not there is a message, not a stack', async t => {
  const env = { LANEWAY_KUBECONFIG: '/nonexistent' }
  const lost = await command(['lanes', '--kubernetes'], { folder: fixtures, env })
  t.equal(lost.code, 2)
  t.match(lost.stderr, /^LANEWAY_SOURCE: cannot read the kubeconfig \/nonexistent: ENOENT[^\n]*\n$/)
  const found = await command(['doctor', '--kubernetes'], { folder: fixtures, env })
  t.match(found.stdout, /^1\. error registry +cannot read the kubeconfig \/nonexistent/)
})

t.test('lanes --watch prints again after a change, and ends by a signal with code 0', async t => {
  const folder = folderWith(t, {})
  copyFileSync(join(fixtures, 'endpoints.json'), join(folder, 'endpoints.json'))
  const child = start(['lanes', '--file', 'endpoints.json', '--watch', '--json'], { folder })
  let stdout = ''
  const line = async (count: number) => {
    while (stdout.split('\n').length <= count) await new Promise(resolve => child.stdout.once('data', resolve))
    return JSON.parse(stdout.split('\n')[count - 1]!)
  }
  child.stdout.on('data', chunk => (stdout += chunk))
  t.equal((await line(1)).length, 4)
  const next = folderWith(t, { 'next.json': { services: { 'sc-b': [{ host: '10.0.0.9', port: 1, tags: ['new'] }] } } })
  copyFileSync(join(next, 'next.json'), join(folder, 'endpoints.json'))
  for (let count = 2; ; count++) {
    const rows = (await line(count)) as { lane: string }[]
    if (rows.some(({ lane }) => lane === 'new')) break
  }
  const ended = new Promise(resolve => child.once('close', resolve))
  child.kill('SIGINT')
  t.equal(await ended, 0)
})

t.test('explain: the trail, and a code that says whether the request is served', async t => {
  for (const [args, code, said] of [
    [['sc-b', '--lane', 'gray'], 0, /^sc-b for lane gray\n {2}outcome {2}lane\n {2}goes to {2}10\.0\.0\.2:8080\n/],
    [['sc-b', '--lane', 'blue'], 0, /fallback-missing\n.*10\.0\.0\.1:8080\n.*its lanes are gray \(2\)/],
    [['sc-c'], 1, /no-base\n {2}goes to {2}nothing\n[\s\S]*LANEWAY_NO_BASE: sc-c cannot take a request without a lane/],
    [['sc-bb'], 1, /no registry has an instance of sc-bb: .*; did you mean sc-b\?/],
    [['nothing-like-it'], 1, /the registry lists sc-b, sc-c/],
  ] as const) {
    const ended = await command(['explain', ...args, ...FILE], { folder: fixtures })
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.stdout, said, args.join(' '))
  }
  const json = await command(['explain', 'sc-b', '-l', 'gray', '--json', ...FILE], { folder: fixtures })
  t.match(JSON.parse(json.stdout), { outcome: 'lane', served: 'gray', candidates: ['10.0.0.2:8080'] })
  const invalid = await command(['explain', 'sc-b', '--lane', 'gray!', ...FILE], { folder: fixtures })
  t.equal(invalid.code, 2)
  t.match(invalid.stderr, /"gray!" is not a lane/)
  const policy = await command(['explain', 'sc-b', '--lane', 'blue', ...FILE], {
    folder: fixtures,
    env: { LANEWAY_WHEN_LANE_MISSING: 'fail' },
  })
  t.equal(policy.code, 1, 'policies of the settings hold')
  t.match(policy.stdout, /LANEWAY_LANE_REQUIRED/)
})

t.test('check: all problems with their places, and what becomes of a request', async t => {
  const bad = await command(['check', 'bad-rules.yaml'], { folder: fixtures })
  t.equal(bad.code, 1)
  t.match(
    bad.stdout,
    /bad-rules\.yaml:4:\d+: .*\n.*bad-rules\.yaml:4:\d+: .*\n.*bad-rules\.yaml:5:\d+: .*\n3 problems\n$/,
  )
  for (const [args, code, said] of [
    [['rules.yaml'], 0, /^rules\.yaml: ok, rules with 2 rules\n$/],
    [['rules.yaml', '-r', 'GET /', '-H', 'X-User: xiaoming'], 0, /lane {5}gray, by a rule\n[\s\S]*testers: lane gray/],
    [['rules.yaml', '-r', 'GET /v1/a'], 0, /lane {5}none, by a rule\n[\s\S]*old-clients: not coloured/],
    [['rules.yaml', '-r', '/'], 0, /lane {5}none\n[\s\S]*no rule decided/],
    [
      ['gateway.yaml', '-r', 'GET http://shop.example.com/orders/1'],
      0,
      /route {4}shop\.example\.com\/orders\n {2}service {2}sc-b/,
    ],
    [['gateway.yaml', '-r', 'GET /', '--header', 'Host: other.example.com'], 0, /service {2}sc-c/],
    [['none.yaml'], 1, /none\.yaml cannot be read: ENOENT/],
  ] as const) {
    const ended = await command(['check', ...args], { folder: fixtures })
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.stdout, said, args.join(' '))
  }
  const json = await command(['check', 'gateway.yaml', '-r', 'GET /', '-H', 'x-user: xiaoming', '--json'], {
    folder: fixtures,
  })
  t.match(JSON.parse(json.stdout), { ok: true, size: 2, decision: { lane: 'gray', by: 'rule', service: 'sc-c' } })
  const wrong = await command(['check', 'bad-rules.yaml', '--json'], { folder: fixtures })
  t.match(JSON.parse(wrong.stdout), { ok: false, problems: { length: 3 } })
  for (const args of [
    ['-r', 'nonsense'],
    ['-H', 'a: 1'],
    ['-r', '/', '-H', 'a'],
  ]) {
    t.equal((await command(['check', 'rules.yaml', ...args], { folder: fixtures })).code, 2, args.join(' '))
  }
})

t.test('wrong use is code 2, with what there is; help is code 0 everywhere', async t => {
  for (const [args, said] of [
    [['lnaes'], /unknown command 'lnaes'[\s\S]*Did you mean lanes\?/],
    [['lanes', '--nacso', 'x'], /unknown option '--nacso'[\s\S]*Did you mean --nacos\?/],
    [['explain'], /missing required argument 'service'/],
    [['lanes', '--timeout', '-1'], /It is a number of ms, from 1/],
  ] as const) {
    const ended = await command(args)
    t.equal(ended.code, 2, args.join(' '))
    t.match(ended.stderr, said)
  }
  for (const name of ['doctor', 'lanes', 'explain', 'check', 'run']) {
    const { code, stdout } = await command([name, '--help'])
    t.equal(code, 0)
    t.match(stdout, `Usage: laneway ${name} `)
  }
  const refused = await command(['lanes'], { env: { LANEWAY_TURST: 'edge' } })
  t.equal(refused.code, 2)
  t.match(refused.stderr, /did you mean LANEWAY_TRUST/)
})
