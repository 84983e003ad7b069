// The console over a real Nacos 3.
import { startConsole } from '@laneway/console'
import { createLaneResolver } from '@laneway/discovery'
import { createNacosClient, createNacosSource, registerInstance } from '@laneway/nacos'
import t from 'tap'
// @ts-expect-error a script without types
import { startNacos } from '../../servers/nacos/start.mjs'
import { assertAccessible, goTo, openPage, picture, until } from '../browser.mjs'

t.test('a real Nacos pushes into the page', async t => {
  const server = await startNacos('nacos3')
  t.teardown(() => server.stop())
  const servers = `127.0.0.1:${server.port}`
  const [reader, writer] = [createNacosClient({ servers }), createNacosClient({ servers })]
  t.teardown(() => Promise.all([reader.close(), writer.close()]))
  const source = createNacosSource(reader, { listIntervalMs: 500 })
  const resolver = createLaneResolver({ sources: [source] })
  t.teardown(() => resolver.close())
  const running = await startConsole({ sources: [source], resolver })
  t.teardown(() => running.close())
  const { page, problems } = await openPage(t)
  await goTo(page, running.url, 'matrix', '.empty')
  const register = (service: string, ip: string, tag: string, metadata: Record<string, string> = {}) =>
    registerInstance(writer, { service, ip, port: 8080, lane: tag, metadata })
  await register('sc-A', '10.1.0.1', 'base', { version: '2.0.0' })
  await register('sc-B', '10.1.1.1', 'base', { version: '2.0.0', 'alicloud.service.tags': 'gray' })
  const gray = await register('sc-A', '10.1.0.2', 'gray', { version: '2.0.1' })
  await page.waitForSelector('[aria-label^="sc-A, gray: 1/1 2.0.1"]', { timeout: 60_000 })
  await page.waitForSelector('[aria-label^="sc-B, gray: → base"]')
  t.match(await page.textContent('.state'), 'nacos')
  await goTo(page, running.url, 'matrix?service=sc-B', '.meant')
  t.match(await page.textContent('.meant'), /is it alicloud\.service\.tag\?/)
  await assertAccessible(t, page, 'Nacos')
  await picture(page, 'nacos')
  await goTo(page, running.url, 'ask?service=sc-B&lane=gray', 'form')
  await page.click('button.main')
  await page.waitForSelector('.answer .steps')
  t.match(await page.textContent('.answer'), /gray is served by base, for example by 10\.1\.1\.1:8080/)
  await goTo(page, running.url, 'matrix', 'tbody .cell')
  await gray.deregister()
  await until(page, 'document.querySelector(\'[aria-label^="sc-A, gray"]\') === null')
  t.pass('the lane leaves the page with its last instance')
  t.strictSame(problems, [])
})
