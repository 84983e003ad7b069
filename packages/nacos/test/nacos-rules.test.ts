import t from 'tap'
import { followConfig, nacosRules } from '../src/index.js'
import { client, server } from './harness.js'
import { ok, type RawServer, refused } from './raw-server.js'

const quick = { requestTimeoutMs: 200, maxReconnectDelayMs: 50, redoIntervalMs: 30 }

function serve(nacos: RawServer): (content: string | undefined) => void {
  let content: string | undefined
  nacos.handlers['ConfigQueryRequest'] = () =>
    content === undefined
      ? refused(300, 'none', 'ConfigQueryResponse')
      : ok('ConfigQueryResponse', { content, md5: `${content.length}-${content}` })
  return next => {
    content = next
    for (const one of nacos.open)
      one.push('ConfigChangeNotifyRequest', { requestId: 'c', dataId: 'rules', group: 'DEFAULT_GROUP' })
  }
}

function parse(json: unknown): { percent: number } {
  const { percent } = json as { percent: number }
  if (!(percent >= 0 && percent <= 100)) throw new Error(`percent ${percent}`)
  return { percent }
}

t.test(
  'each valid content is used; broken JSON and refused content keep the last good one and are reported',
  async t => {
    const nacos = await server(t)
    const publish = serve(nacos)
    publish('{"percent":10}')
    const changes: unknown[] = []
    const errors: string[] = []
    const rules = nacosRules(client(t, nacos), 'rules', {
      parse,
      onChange: value => changes.push(value),
      onError: error => errors.push(error.message),
    })
    t.equal(rules.current, undefined)
    await rules.ready
    t.same([rules.current, rules.stale], [{ percent: 10 }, false])
    publish('{"percent":')
    await nacos.until(() => errors.length === 1)
    t.same([rules.current, rules.stale], [{ percent: 10 }, true])
    publish('{"percent":1000}')
    await nacos.until(() => errors.length === 2)
    t.same(rules.current, { percent: 10 })
    t.match(errors, [/rules is not usable, the last good one stays: .*JSON/, /percent 1000/])
    publish('{"percent":30}')
    await nacos.until(() => changes.length === 2)
    t.same([rules.current, rules.stale], [{ percent: 30 }, false])
    publish(undefined)
    await nacos.until(() => changes.length === 3)
    t.same([rules.current, rules.stale], [undefined, false], 'a removal is a fact')
    rules.close()
    publish('{"percent":50}')
    await nacos.until(() => nacos.received.some(({ body }) => body?.listen === false))
    t.equal(changes.length, 3)
  },
)

t.test('a snapshot on the disk serves the start while Nacos is down, marked stale', async t => {
  const snapshotDir = t.testdir()
  const nacos = await server(t)
  const publish = serve(nacos)
  publish('{"percent":10}')
  const first = client(t, nacos)
  const before = nacosRules(first, 'rules', { parse, snapshotDir, onError: () => {} })
  await before.ready
  await first.close()
  const { port } = nacos
  await nacos.stop()
  const second = client(t, nacos, quick)
  const errors: string[] = []
  const rules = nacosRules(second, 'rules', { parse, snapshotDir, onError: error => errors.push(error.code) })
  await rules.ready
  t.same([rules.current, rules.stale], [{ percent: 10 }, true])
  t.ok(errors.includes('LANEWAY_NACOS_UNAVAILABLE'))
  publish('{"percent":20}')
  await nacos.start(port)
  await nacos.until(() => !rules.stale)
  t.same(rules.current, { percent: 20 })
})

t.test('a configuration of plain text is followed as text', async t => {
  const nacos = await server(t)
  const publish = serve(nacos)
  publish('base')
  const changes: unknown[] = []
  const own = client(t, nacos)
  const followed = followConfig(own, 'rules', { onChange: value => changes.push(value) })
  await followed.ready
  publish('gray')
  await nacos.until(() => changes.length === 2)
  publish(undefined)
  await nacos.until(() => changes.length === 3)
  t.same(changes, ['base', 'gray', undefined])
  t.throws(() => followConfig(own, 'rules', { pars: String } as never), { code: 'LANEWAY_INVALID_OPTION' })
})
