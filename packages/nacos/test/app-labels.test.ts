import { parseLane } from '@laneway/core'
import t from 'tap'
import { createNacosClient, type NacosClientOptions } from '../src/index.js'
import { client, server } from './harness.js'

const VARIABLES = ['LANEWAY_TAG', 'nacos_app_conn_labels', 'nacos_config_gray_label']

function environment(t: { teardown(end: () => void): void }, set: Record<string, string>): void {
  for (const name of VARIABLES) delete process.env[name]
  Object.assign(process.env, set)
  t.teardown(() => {
    for (const name of VARIABLES) delete process.env[name]
  })
}

const gray = { 'app_Vipserver-Tag': 'gray', 'app_nacos.config.gray.label': 'gray' }
const cases: [name: string, options: Partial<NacosClientOptions>, env: Record<string, string>, labels: object][] = [
  ['base has none', {}, {}, {}],
  ['the option lane', { lane: 'gray' }, {}, gray],
  ['a lane object, its first tag', { lane: parseLane('gray,blue')! }, {}, gray],
  ['the lane of the process', {}, { LANEWAY_TAG: 'gray' }, gray],
  ['the option base', { lane: 'base' }, { LANEWAY_TAG: 'gray' }, {}],
  ['the option, empty', { lane: '' }, { LANEWAY_TAG: 'gray' }, {}],
  [
    'the variables of the Java client',
    {},
    { nacos_app_conn_labels: 'k1=v1, k2 = v2,bad,=x,k3=,k4=a=b', nacos_config_gray_label: 'blue' },
    { app_k1: 'v1', app_k2: 'v2', 'app_nacos.config.gray.label': 'blue' },
  ],
  [
    'a variable beside the lane',
    { lane: 'gray' },
    { nacos_config_gray_label: 'blue' },
    { ...gray, 'app_nacos.config.gray.label': 'blue' },
  ],
  [
    'the option labels wins',
    { lane: 'gray', labels: { 'Vipserver-Tag': 'x', zone: 'a' } },
    { nacos_app_conn_labels: 'zone=b' },
    { ...gray, 'app_Vipserver-Tag': 'x', app_zone: 'a' },
  ],
  ['labels cannot take over those of the protocol', { labels: { source: 'x' } }, {}, { app_source: 'x' }],
]

t.test('labels of the connection', async t => {
  for (const [name, options, env, labels] of cases) {
    await t.test(name, async t => {
      environment(t, env)
      const nacos = await server(t)
      await client(t, nacos, options).ready()
      const { body } = await nacos.message('ConnectionSetupRequest')
      t.strictSame(body.labels, { source: 'sdk', module: 'naming', AppName: 'unknown', ...labels })
    })
  }
})

t.test('labels and lanes that are none are refused', async t => {
  environment(t, {})
  const make = (options: object) => () => createNacosClient({ servers: 'localhost', ...options })
  for (const labels of [[], 'a=b', { a: 1 }, { a: '' }, { 'a b': 'c' }, { a: 'x'.repeat(129) }])
    t.throws(make({ labels }), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(make({ lane: 'gr ay' }), { code: 'LANEWAY_INVALID_TAG' })
  environment(t, { LANEWAY_TAG: 'gr ay' })
  t.throws(make({}), { code: 'LANEWAY_INVALID_TAG' })
})
