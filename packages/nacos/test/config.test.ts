import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { ConfigListener, ConfigValue } from '../src/index.js'
import { client, server } from './harness.js'
import { ok, type RawServer, refused } from './raw-server.js'

const quick = { maxReconnectDelayMs: 50, redoIntervalMs: 30 }

function md5(content: string): string {
  return createHash('md5').update(content).digest('hex')
}

/** A server with a store of configurations that answers as Java servers do. */
async function store(
  t: Test,
): Promise<{ nacos: RawServer; contents: Map<string, string>; change(key: string, content?: string): void }> {
  const nacos = await server(t)
  const contents = new Map<string, string>()
  const keyOf = (body: any): string => `${body.tenant}/${body.group}/${body.dataId}`
  nacos.handlers['ConfigQueryRequest'] = ({ body }) => {
    const content = contents.get(keyOf(body))
    if (content === undefined) return refused(300, 'config data not exist', 'ConfigQueryResponse')
    return ok('ConfigQueryResponse', { content, md5: md5(content), contentType: 'json' })
  }
  nacos.handlers['ConfigBatchListenRequest'] = ({ body }) => {
    const changed = body.configListenContexts.filter(
      (one: any) => body.listen && one.md5 !== (contents.has(keyOf(one)) ? md5(contents.get(keyOf(one))!) : ''),
    )
    return ok('ConfigChangeBatchListenResponse', { changedConfigs: changed.map(({ md5: _, ...key }: any) => key) })
  }
  nacos.handlers['ConfigPublishRequest'] = ({ body }) => {
    contents.set(keyOf(body), body.content)
    return ok('ConfigPublishResponse')
  }
  nacos.handlers['ConfigRemoveRequest'] = ({ body }) => {
    contents.delete(keyOf(body))
    return ok('ConfigRemoveResponse')
  }
  const change = (key: string, content?: string): void => {
    if (content === undefined) contents.delete(key)
    else contents.set(key, content)
    const [tenant, group, dataId] = key.split('/')
    for (const connection of nacos.open) {
      // For the default namespace Java servers leave the tenant out.
      connection.push('ConfigChangeNotifyRequest', { requestId: 'c', dataId, group, ...(tenant !== '' && { tenant }) })
    }
  }
  return { nacos, contents, change }
}

function ear(): ConfigListener & { readonly values: (string | undefined)[]; readonly errors: string[] } {
  const values: (string | undefined)[] = []
  const errors: string[] = []
  return {
    values,
    errors,
    value: (value?: ConfigValue) => void values.push(value?.content),
    lost: error => void errors.push(error.code),
  }
}

t.test('get, publish, remove; what does not exist is undefined, not an error', async t => {
  const { nacos } = await store(t)
  const { config } = client(t, nacos)
  t.equal(await config.get('rules'), undefined)
  await config.publish('rules', '{"a":1}', { type: 'json' })
  t.match(await config.get('rules'), {
    dataId: 'rules',
    group: 'DEFAULT_GROUP',
    content: '{"a":1}',
    md5: md5('{"a":1}'),
    contentType: 'json',
  })
  t.match(await nacos.message('ConfigPublishRequest'), { body: { additionMap: { type: 'json' }, tenant: '' } })
  await config.remove('rules')
  t.equal(await config.get('rules'), undefined)
  await t.rejects(config.publish('rules', ''), { code: 'LANEWAY_INVALID_OPTION' })
  await t.rejects(config.get(''), { code: 'LANEWAY_INVALID_OPTION' })
  await t.rejects(config.get('a', { grup: 'x' } as never), /did you mean "group"/)
})

t.test('a configuration that is being modified (400) is read a moment later, by get and by a listener', async t => {
  const { nacos, contents } = await store(t)
  contents.set('/DEFAULT_GROUP/rules', 'x')
  const query = nacos.handlers['ConfigQueryRequest']!
  let busy = 2
  nacos.handlers['ConfigQueryRequest'] = received =>
    busy-- > 0
      ? refused(400, 'requested file is being modified, please try later.', 'ConfigQueryResponse')
      : query(received)
  const { config } = client(t, nacos)
  t.equal((await config.get('rules'))?.content, 'x')
  busy = 2
  const heard = ear()
  config.listen('rules', {}, heard)
  await nacos.until(() => heard.values.length === 1)
  t.same([heard.values, heard.errors], [['x'], []])
  nacos.handlers['ConfigQueryRequest'] = () => refused(400, 'Param check invalid', 'ConfigQueryResponse')
  await t.rejects(config.get('rules'), { code: 'LANEWAY_NACOS_REFUSED', message: /Param check/ })
})

t.test('the namespace public is the tenant "", any other is itself', async t => {
  const { nacos } = await store(t)
  await client(t, nacos, { namespace: 'public' }).config.get('a')
  await client(t, nacos, { namespace: 'team' }).config.get('a')
  await client(t, nacos, { namespace: 'team' }).config.get('a', { namespace: 'public' })
  t.same(
    nacos.received.filter(({ type }) => type === 'ConfigQueryRequest').map(({ body }) => body.tenant),
    ['', 'team', ''],
  )
})

t.test('a tenant as it is on the wire reaches what Java clients from 3.0 publish to 2.x', async t => {
  const { nacos, change } = await store(t)
  const { config } = client(t, nacos)
  const [wire, plain] = [ear(), ear()]
  config.listen('rules', { tenant: 'public' }, wire)
  config.listen('rules', {}, plain)
  await nacos.until(() => wire.values.length === 1 && plain.values.length === 1)
  change('public/DEFAULT_GROUP/rules', 'theirs')
  await nacos.until(() => wire.values.length === 2)
  t.same([wire.values, plain.values], [[undefined, 'theirs'], [undefined]])
  t.equal((await config.get('rules', { tenant: 'public' }))?.content, 'theirs')
})

t.test('a listener hears what is there, each change, and the removal', async t => {
  const { nacos, change, contents } = await store(t)
  contents.set('/DEFAULT_GROUP/rules', 'one')
  const { config } = client(t, nacos)
  const heard = ear()
  config.listen('rules', {}, heard)
  await nacos.until(() => heard.values.length === 1)
  change('/DEFAULT_GROUP/rules', 'two')
  await nacos.until(() => heard.values.length === 2)
  change('/DEFAULT_GROUP/rules')
  await nacos.until(() => heard.values.length === 3)
  t.same(heard.values, ['one', 'two', undefined])
  // Read because of a push, and not because listening said that something is new.
  await nacos.until(() =>
    nacos.received.some(({ type, headers }) => type === 'ConfigQueryRequest' && headers['notify'] === 'true'),
  )
  const last = nacos.received.findLast(({ type }) => type === 'ConfigBatchListenRequest')
  t.match(last!.body, { listen: true, configListenContexts: [{ dataId: 'rules', group: 'DEFAULT_GROUP', tenant: '' }] })
})

t.test('a configuration that does not exist yet is heard as undefined, then as created', async t => {
  const { nacos, change } = await store(t)
  const heard = ear()
  client(t, nacos).config.listen('rules', {}, heard)
  await nacos.until(() => heard.values.length === 1)
  change('/DEFAULT_GROUP/rules', 'born')
  await nacos.until(() => heard.values.length === 2)
  t.same(heard.values, [undefined, 'born'])
})

t.test('a change between reading and listening is not lost', async t => {
  const { nacos, contents } = await store(t)
  contents.set('/DEFAULT_GROUP/rules', 'one')
  const query = nacos.handlers['ConfigQueryRequest']!
  let reads = 0
  nacos.handlers['ConfigQueryRequest'] = async received => {
    const answer = await query(received)
    // Published after the answer was made, with no push: this client does not listen yet.
    if (++reads === 1) contents.set('/DEFAULT_GROUP/rules', 'two')
    return answer
  }
  const heard = ear()
  client(t, nacos).config.listen('rules', {}, heard)
  await nacos.until(() => heard.values.length === 2)
  t.same(heard.values, ['one', 'two'])
})

t.test('a push that comes before the server shows the content is looked into again', async t => {
  const { nacos, change, contents } = await store(t)
  contents.set('/DEFAULT_GROUP/rules', 'one')
  const heard = ear()
  client(t, nacos).config.listen('rules', {}, heard)
  await nacos.until(() => heard.values.length === 1)
  change('/DEFAULT_GROUP/rules', 'one')
  const asked = nacos.received.filter(({ type }) => type === 'ConfigQueryRequest').length
  await nacos.message('ConfigQueryRequest', asked + 1)
  await nacos.message('ConfigBatchListenRequest', 4)
  contents.set('/DEFAULT_GROUP/rules', 'two')
  await nacos.until(() => heard.values.length === 2)
  t.same(heard.values, ['one', 'two'])
})

t.test('a change while the connection was lost is heard after it; what did not change is not told again', async t => {
  const { nacos, contents } = await store(t)
  contents.set('/DEFAULT_GROUP/a', 'a1').set('/DEFAULT_GROUP/b', 'b1').set('/DEFAULT_GROUP/c', 'c1')
  const { config } = client(t, nacos, quick)
  const heard = ['a', 'b', 'c'].map(dataId => {
    const one = ear()
    config.listen(dataId, {}, one)
    return one
  })
  await nacos.until(() => heard.every(({ values }) => values.length === 1))
  contents.set('/DEFAULT_GROUP/b', 'b2')
  nacos.kill()
  await nacos.until(() => heard[1]!.values.length === 2)
  t.same(
    heard.map(({ values }) => values),
    [['a1'], ['b1', 'b2'], ['c1']],
  )
  t.ok(
    heard.every(({ errors }) => errors.length > 0),
    'and each was told of the loss',
  )
})

t.test('listeners share one at the server; the last one ends it', async t => {
  const { nacos, change } = await store(t)
  const { config } = client(t, nacos)
  const [first, second] = [ear(), ear()]
  const stops = [config.listen('rules', {}, first), config.listen('rules', {}, second)]
  await nacos.until(() => second.values.length === 1)
  stops[0]!()
  change('/DEFAULT_GROUP/rules', 'x')
  await nacos.until(() => second.values.length === 2)
  t.equal(first.values.length, 1)
  stops[1]!()
  await nacos.until(() => nacos.received.some(({ body }) => body?.listen === false))
  change('/DEFAULT_GROUP/rules', 'y')
  await nacos.message('ConfigChangeNotifyResponse', 2)
  t.equal(second.values.length, 2)
})

t.test('compare-and-set is sent once, and its refusal is an error', async t => {
  const { nacos } = await store(t)
  nacos.handlers['ConfigPublishRequest'] = ({ body }) =>
    body.casMd5 === md5('old') ? ok('ConfigPublishResponse') : refused(500, 'Cas publish fail', 'ConfigPublishResponse')
  const { config } = client(t, nacos, quick)
  await config.publish('rules', 'new', { casMd5: md5('old') })
  await t.rejects(config.publish('rules', 'new', { casMd5: 'deadbeef' }), {
    code: 'LANEWAY_NACOS_REFUSED',
    message: /Cas publish fail/,
  })
  nacos.handlers['ConfigPublishRequest'] = () => void nacos.kill()
  await t.rejects(config.publish('rules', 'new', { casMd5: md5('old') }), { code: 'LANEWAY_NACOS_UNAVAILABLE' })
  t.equal(nacos.received.filter(({ type }) => type === 'ConfigPublishRequest').length, 3)
})

t.test('a plain publication whose connection breaks is sent again on the next one', async t => {
  const { nacos, contents } = await store(t)
  const publish = nacos.handlers['ConfigPublishRequest']!
  nacos.handlers['ConfigPublishRequest'] = received =>
    received.connection === nacos.connections[0] ? void nacos.kill() : publish(received)
  await client(t, nacos, quick).config.publish('rules', 'x')
  t.equal(contents.get('/DEFAULT_GROUP/rules'), 'x')
})
