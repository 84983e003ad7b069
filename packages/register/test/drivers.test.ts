import t from 'tap'
import { type App, ask, program, startApp } from './start-app.js'

const LANES = ['gray', undefined, 'blue', 'gray', undefined, 'blue', 'gray', undefined, 'blue']
const RIGHT = LANES.map(tag => tag ?? 'none')
const DRIVERS = 'mysql,mysql2,mariadb,pg,redis,amqplib,memcached,memjs,tedious,mongodb,cassandra,mqtt' satisfies string
/** These wait for another request, not for a connection. */
const isPool = (name: string) => name.endsWith('pool') && !name.startsWith('mongodb')

async function start(disabled = ''): Promise<{ app: App; cases: string[] }> {
  const app = await startApp(t, program('drivers.mjs'), { environment: { LANEWAY_DISABLE: disabled } })
  return { app, cases: JSON.parse(await ask(app.url)) as string[] }
}

async function seen(app: App, name: string): Promise<string[]> {
  const url = `${app.url}/${encodeURIComponent(name)}`
  // The connection is opened by a request in a lane.
  const first = await ask(url, 'gray')
  return [first, ...(await Promise.all(LANES.map(tag => ask(url, tag))))]
}

t.test('callbacks and events of a driver run in the lane of their caller', async t => {
  const { app, cases } = await start()
  t.equal(cases.length, 28)
  for (const name of cases) t.strictSame(await seen(app, name), ['gray', ...RIGHT], name)
  t.equal(app.output.stderr, '')
})

t.test(
  'a driver that is switched off, or unknown, runs its callbacks in no lane, because its connection has none',
  async t => {
    const { app, cases } = await start(DRIVERS)
    for (const name of cases.filter(name => !isPool(name))) {
      const answers = await seen(app, name)
      t.strictSame([...new Set(answers)], ['none'], name)
    }
  },
)

t.test(
  'with sockets switched off too, callbacks run in the lane of the request that opened the connection',
  async t => {
    const { app, cases } = await start(`${DRIVERS},sockets`)
    for (const name of cases.filter(name => !isPool(name))) {
      const answers = await seen(app, name)
      t.strictSame([...new Set(answers)], ['gray'], name)
    }
  },
)

t.test('a driver of an unexpected shape is left alone for good, with one warning, and no other driver is', async t => {
  const { app } = await start()
  for (let round = 0; round < 2; round++) t.equal(await ask(`${app.url}/odd`, 'gray'), 'served')
  t.equal(app.output.stderr.match(/had a fault/g)?.length, 1)
  t.match(app.output.stderr, /mysql2 had a fault; requests go on without it/)
  t.strictSame([...new Set(await seen(app, 'mysql2 callback'))], ['none'])
  t.strictSame(await seen(app, 'mysql callback'), ['gray', ...RIGHT])
})
