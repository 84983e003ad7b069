import t from 'tap'
import { createNacosDevServer } from '../src/index.js'
import { resolveOptions } from '../src/options.js'

t.test('the defaults are those of a real server, on loopback', async t => {
  t.match(resolveOptions(), {
    host: '127.0.0.1',
    port: 8848,
    dialect: '3.1.0',
    pushDelayMs: 500,
    pushAnswerMs: 5000,
    pushRetryMs: 1000,
    configDelayMs: 100,
    detection: { idleMs: 20_000, everyMs: 3000, answerMs: 5000 },
    auth: undefined,
    tls: undefined,
  })
  t.equal(resolveOptions({ detection: false }).detection, undefined)
})

t.test('what the server cannot use is refused when it is created', async t => {
  const cases: Record<string, [input: object, message: RegExp]> = {
    'a key with a typing error': [{ pushDelay: 1 }, /unknown key "pushDelay" in options: did you mean "pushDelayMs"\?/],
    'a key like no other': [{ colour: 1 }, /unknown key "colour" in options: known are host, port/],
    'a key inside': [{ auth: { users: {}, reader: [] } }, /unknown key "reader" in auth: did you mean "readers"\?/],
    'a port without room for gRPC': [{ port: 64_536 }, /port must be 0 or 1\.\.64535.*got 64536/],
    'a port below 0': [{ port: -1 }, /got -1/],
    'a port that is no whole number': [{ port: 1.5 }, /got 1.5/],
    'a port that is NaN': [{ port: Number.NaN }, /got NaN/],
    'a release that is not imitated': [
      { dialect: '1.4.0' },
      /dialect must be one of 3\.1\.0, 2\.5\.0, 2\.2\.3, got 1\.4\.0/,
    ],
    'a name of Object.prototype': [{ dialect: 'constructor' }, /dialect must be one of/],
    'a delay below 0': [{ pushDelayMs: -1 }, /pushDelayMs must be a number >= 0, got -1/],
    'a delay that is NaN': [{ configDelayMs: Number.NaN }, /configDelayMs/],
    'a delay beyond what timers take': [{ pushRetryMs: 2 ** 31 }, /pushRetryMs/],
    'an idle time below 0': [{ detection: { idleMs: -1 } }, /detection\.idleMs/],
    'a token life below 0': [{ auth: { users: {}, tokenTtlSeconds: -1 } }, /auth\.tokenTtlSeconds/],
  }
  for (const [name, [input, message]] of Object.entries(cases)) {
    const isIt = { name: 'DevServerError', code: 'LANEWAY_INVALID_OPTION', message }
    t.throws(() => createNacosDevServer(input), isIt, name)
  }
  t.equal(resolveOptions({ port: 64_535 }).port, 64_535)
})

t.test('a port that is taken is an error that says so, on either side', async t => {
  const first = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => first.close())
  const same = createNacosDevServer({ port: first.port })
  await t.rejects(same.start(), { code: 'LANEWAY_DEV_SERVER_LISTEN', message: /the port is taken/ })
  if (first.port > 1000) {
    const below = createNacosDevServer({ port: first.port - 1000 })
    await t.rejects(below.start(), { code: 'LANEWAY_DEV_SERVER_LISTEN', message: new RegExp(`:${first.port}:`) })
  }
})

t.test('a condition that does not come true ends the wait with its text', async t => {
  const server = createNacosDevServer({ port: 0 })
  await t.rejects(
    server.until(({ sessions }) => sessions().length === 7, 10),
    { code: 'LANEWAY_DEV_SERVER_TIMEOUT', message: /within 10 ms: .*length\s*===\s*7/ },
  )
})
