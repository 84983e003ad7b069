import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { createNacosClient, followConfig } from '../src/index.js'

t.test('a gray configuration reaches the connections of its lane, live, and no others', async t => {
  const nacos = await createNacosDevServer({ port: 0, configDelayMs: 0 }).start()
  t.teardown(() => nacos.close())
  const seen: Record<string, (string | undefined)[]> = { base: [], gray: [], blue: [] }
  const until = async (wanted: Record<string, string>) => {
    while (Object.entries(wanted).some(([lane, content]) => seen[lane]!.at(-1) !== content)) {
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  const clients = ['base', 'gray', 'blue'].map(lane => {
    const client = createNacosClient({ servers: nacos.address, lane })
    const followed = followConfig(client, 'sc-A', { onChange: content => void seen[lane]!.push(content) })
    t.teardown(async () => {
      followed.close()
      await client.close()
    })
    return client
  })
  const ofGray = async (method: string, content = '') => {
    const params = new URLSearchParams({ dataId: 'sc-A', group: 'DEFAULT_GROUP', tag: 'gray', content })
    const response = await fetch(`http://${nacos.address}/nacos/v1/cs/configs?${params}`, { method })
    t.equal(await response.text(), 'true')
  }

  await clients[0]!.config.publish('sc-A', 'one')
  await until({ base: 'one', gray: 'one', blue: 'one' })
  await ofGray('POST', 'only gray')
  await until({ gray: 'only gray' })
  await clients[0]!.config.publish('sc-A', 'two')
  await until({ base: 'two', blue: 'two' })
  t.equal(seen['gray']!.at(-1), 'only gray')
  for (const lane of ['base', 'blue']) t.notOk(seen[lane]!.includes('only gray'), lane)
  await ofGray('DELETE')
  await until({ gray: 'two' })
})
