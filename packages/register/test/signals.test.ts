import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { createNacosDevServer, type NacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { type App, ask, program, startApp, type Test } from './start-app.js'

/** A registered service that ends in a way of its own. */
async function registered(
  t: Test & { match(found: unknown, wanted: unknown): unknown },
  end: string,
  environment: Record<string, string> = {},
  under: readonly string[] = [],
) {
  const nacos = await createNacosDevServer({ port: 0 }).start()
  t.teardown(() => nacos.close())
  const app = await startApp(t, program('plain.mjs'), {
    environment: { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: 'sc-P', LANEWAY_TAG: 'gray', ...environment },
    args: [end],
    under,
  })
  await nacos.until(({ instances }) => instances('sc-P').length === 1)
  const [instance] = nacos.instances('sc-P')
  t.match(instance, { ip: '127.0.0.1', port: app.port, metadata: { 'alicloud.service.tag': 'gray' } })
  return { nacos, app }
}

const gone = (nacos: NacosDevServer) => nacos.until(({ instances }) => instances('sc-P').length === 0)
const alive = ({ child }: App) => child.exitCode === null && child.signalCode === null

t.test('no listener of the app: it leaves, answers what is under way, and ends by the same signal', async t => {
  const { nacos, app } = await registered(t, '', { LANEWAY_SHUTDOWN_MS: '1000' })
  const slow = fetch(app.url, { headers: { 'x-ms': '1500' } })
  await ask(app.url)
  app.child.kill('SIGTERM')
  await gone(nacos)
  t.ok(alive(app), 'deregistered before it ends')
  t.equal(await ask(app.url), 'done', 'it still serves those who do not know yet')
  t.equal(await (await slow).text(), 'done')
  t.equal(await app.ended, 'SIGTERM')
})

t.test('a listener that closes: leaving has begun, and the process ends once callers may know', async t => {
  const { nacos, app } = await registered(t, 'closes', { LANEWAY_SHUTDOWN_MS: '500' })
  app.child.kill('SIGTERM')
  await gone(nacos)
  t.ok(alive(app))
  t.equal(await app.ended, 0)
})

t.test('a listener that exits: leaving has begun before, the exit code is the app’s', async t => {
  const { nacos, app } = await registered(t, 'exits')
  app.child.kill('SIGTERM')
  await gone(nacos)
  t.ok(alive(app), 'deregistered before the app exits')
  t.equal(await app.ended, 7)
})

t.test('a second signal ends the process at once', async t => {
  const { nacos, app } = await registered(t, '', { LANEWAY_SHUTDOWN_MS: '60000' })
  app.child.kill('SIGINT')
  await gone(nacos)
  t.ok(alive(app))
  app.child.kill('SIGINT')
  t.equal(await app.ended, 'SIGINT')
})

t.test('shutdown() leaves and waits, for apps that end by themselves', async t => {
  const { nacos, app } = await registered(t, 'shuts down', { LANEWAY_SHUTDOWN_MS: '300' })
  app.child.kill('SIGTERM')
  await gone(nacos)
  t.equal(await app.ended, 0)
  t.match(app.output.stdout, /left/)
})

t.test('a registry that is lost holds the end for LANEWAY_SHUTDOWN_MS at most', async t => {
  const { nacos, app } = await registered(t, '', { LANEWAY_SHUTDOWN_MS: '300' })
  await nacos.close()
  app.child.kill('SIGTERM')
  t.equal(await app.ended, 'SIGTERM')
})

const IN_CONTAINER = ['unshare', '--pid', '--fork', '--kill-child']
const can = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0

t.test('the first process of a container ends, too', { skip: !can && 'no PID namespace can be made here' }, async t => {
  const { nacos, app } = await registered(t, 'stays', { LANEWAY_SHUTDOWN_MS: '300' }, IN_CONTAINER)
  const { pid } = app.child
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  process.kill(Number(first), 'SIGTERM')
  await gone(nacos)
  t.equal(await app.ended, 128 + constants.signals.SIGTERM)
})
