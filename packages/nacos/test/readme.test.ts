import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README runs', async t => {
  const server = createNacosDevServer({ port: 0, pushDelayMs: 0 })
  await server.start()
  t.teardown(() => server.close())
  const { code, stdout, stderr } = await readmeExample('packages/nacos', 0, { NACOS_SERVER_ADDR: server.address })
  t.equal(stderr, '')
  t.equal(stdout, '127.0.0.1:8080 gray\n')
  t.equal(code, 0)
  t.same(server.instances(), [])
})
