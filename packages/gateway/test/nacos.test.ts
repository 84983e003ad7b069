import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNacosClient } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { startGateway } from '../src/start-gateway.js'
import { send, startServices } from './world.js'

t.test('endpoints and rules from Nacos; rules that are bad, or deleted, leave the last good ones', async t => {
  const nacos = await createNacosDevServer({ port: 0, pushDelayMs: 0, configDelayMs: 0 }).start()
  t.teardown(() => nacos.close())
  const client = createNacosClient({
    servers: nacos.address,
    grpcPortOffset: nacos.grpcPort - nacos.port,
    warn: () => {},
  })
  t.teardown(() => client.close())
  const services = await startServices(t, { 'sc-A': [{}, { tag: 'gray' }] })
  for (const { host, port, tags } of services['sc-A']!) {
    await client.naming.register(
      { service: 'sc-A' },
      { ip: host, port, metadata: tags === undefined ? {} : { 'alicloud.service.tag': tags[0]! } },
    )
  }
  await client.config.publish('lanes.yaml', 'version: 1\nrules: [{ name: all, lane: gray }]\n')
  const place = t.testdir({})
  const file = join(place, 'gateway.yaml')
  writeFileSync(
    file,
    `version: 1
listeners: [{ host: 127.0.0.1, port: 0 }]
discovery: { nacos: { servers: ${nacos.address} } }
rules: { nacos: { dataId: lanes.yaml } }
routes: [{ service: sc-A }]
accessLog: false
drain: { delayMs: 0, timeoutMs: 0 }
`,
  )
  const said: string[] = []
  let wake = (): void => {}
  const note = (message: string) => {
    said.push(message)
    wake()
  }
  const heard = async (pattern: RegExp) => {
    while (!said.some(message => pattern.test(message))) {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
  const started = await startGateway(file, { warn: note, notice: note })
  t.teardown(() => started.close())
  const at = async () => (await send(started.gateway.address().port)).json.at
  await heard(/1 colouring rules taken/)
  t.equal(await at(), 'sc-A-gray')
  await client.config.publish('lanes.yaml', 'version: 1\nrules: [{ name: all, lan: gray }]\n')
  await heard(/refused, the last good ones stay:\nlanes\.yaml:2:\d+: .*did you mean "lane"/)
  t.equal(await at(), 'sc-A-gray')
  await client.config.remove('lanes.yaml')
  await heard(/there is no configuration lanes\.yaml in Nacos; the last good rules stay/)
  t.equal(await at(), 'sc-A-gray')
  await client.config.publish('lanes.yaml', 'version: 1\nrules: []\n')
  await heard(/0 colouring rules taken/)
  t.equal(await at(), 'sc-A')
})
