import { createLaneResolver } from '@laneway/discovery'
import t from 'tap'
import { createScriptedSource } from './scripted-source.js'

t.test('a source that lists on request is asked for each name instead', async t => {
  const scripted = createScriptedSource({ name: 'kubernetes' })
  const source = { ...scripted, listOnRequest: true }
  const resolver = createLaneResolver({ sources: [source] })
  t.teardown(() => resolver.close())
  t.notOk(scripted.listing, 'no list is followed')
  t.equal(resolver.match('orders', undefined, false), 'orders')
  const wait = resolver.lookup('orders')
  scripted.snapshot('orders', [{ host: '10.0.0.1', port: 80 }])
  await wait
  t.equal(resolver.pick('orders', undefined).endpoint?.address, '10.0.0.1:80')

  t.equal(resolver.match('mysql', undefined, false), 'mysql', 'asked for')
  const absent = resolver.lookup('mysql')
  scripted.missing('mysql')
  await absent
  t.equal(resolver.match('mysql', undefined, false), undefined, 'no service: DNS')
})
