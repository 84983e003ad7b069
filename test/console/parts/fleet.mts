// 500 services in 8 lanes with 20 instances each: the first picture and the cost of updates.
import { startConsole } from '@laneway/console'
import { createStaticSource, type EndpointInput, type StaticServices } from '@laneway/discovery'
import t from 'tap'
import { assertAccessible, goTo, openPage, picture, until } from '../browser.mjs'

const SERVICES = 500
const LANES = ['base', 'gray', 'gray-2', 'blue', 'canary', 'team-a', 'team-b', 'load-test']
const INSTANCES = 20
const UPDATES = 10

function instances(service: number, version: number): EndpointInput[] {
  return LANES.flatMap((lane, at) =>
    // One gap in each service, so that the matrix has some.
    at === 1 + (service % 7)
      ? []
      : Array.from(
          { length: INSTANCES },
          (_, index): EndpointInput => ({
            host: `10.${Math.floor(service / 250)}.${service % 250}.${at * INSTANCES + index + 1}`,
            port: 8080,
            health: service % 9 === 3 && index > 17 ? 'unhealthy' : 'healthy',
            tags: lane === 'base' ? [] : [lane],
            metadata: { version: `2.${version}.${at}` },
          }),
        ),
  )
}

const nameOf = (service: number) => `service-${String(service).padStart(3, '0')}`

/** @param update - changes the versions of each `step`th service, the first one included */
function fleetOf(update: number, step: number): StaticServices {
  return Object.fromEntries(
    Array.from({ length: SERVICES }, (_, service) => [
      nameOf(service),
      instances(service, service % step === 0 ? update : 0),
    ]),
  )
}

t.test('a big fleet is drawn within two seconds, and updates do not hold the page up', async t => {
  const source = createStaticSource(fleetOf(0, 1))
  const running = await startConsole({ sources: [source] })
  t.teardown(() => running.close())
  const { page, taskMs } = await openPage(t)
  await page.addInitScript(
    "new MutationObserver(() => { if (!window.drawnAt && document.querySelector('tbody .cell')) requestAnimationFrame(() => setTimeout(() => { window.drawnAt ??= performance.now() })) }).observe(document, { childList: true, subtree: true })",
  )
  await page.goto(running.url)
  await until(page, 'window.drawnAt > 0')
  const first = await page.evaluate<number>('window.drawnAt')
  t.match(await page.textContent('.sum'), '500 services, 7 lanes')
  const cost = async (step: number) => {
    const took: number[] = []
    for (let update = 1; update <= UPDATES; update++) {
      const before = await taskMs()
      source.update(fleetOf(update * step, step))
      await until(page, `document.querySelector('.cell .note').textContent.startsWith('2.${update * step}.')`)
      took.push((await taskMs()) - before)
    }
    return took.sort((a, b) => a - b)
  }
  const tenth = await cost(10)
  const all = await cost(1)
  const text = (ms: number[]) => `median ${ms[UPDATES / 2]!.toFixed(0)} ms, most ${ms.at(-1)!.toFixed(0)} ms`
  const figures = `first picture ${first.toFixed(0)} ms; processor time of the main thread for an update of 50 services: ${text(tenth)}, of all 500: ${text(all)}`
  console.log(`# ${figures}`)
  t.ok(first < 2000, figures)
  t.ok(tenth.at(-1)! < 100 && all.at(-1)! < 100, figures)
  const rows = await page.evaluate<number>("document.querySelectorAll('tbody tr:not(.spacer)').length")
  t.ok(rows < 60, `only the rows that are seen are drawn: ${rows}`)
  await assertAccessible(t, page, 'the matrix of a big fleet')
  await picture(page, 'fleet')
})

t.test('the keys move through the whole matrix, and open and close a service', async t => {
  const running = await startConsole({ sources: [createStaticSource(fleetOf(0, 1))] })
  t.teardown(() => running.close())
  const { page } = await openPage(t)
  await goTo(page, running.url, 'matrix', 'tbody .cell')
  const focused = () =>
    page.evaluate<string>("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id")
  await page.evaluate('document.querySelector(\'button[tabindex="0"]\').focus()')
  for (let row = 0; row < 30; row++) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowRight')
  t.match(await focused(), /^service-030, blue/)
  for (let page10 = 0; page10 < 60; page10++) await page.keyboard.press('PageDown')
  t.match(await focused(), /^service-499, blue/)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.instances li')
  t.equal(await focused(), 'pane-title', 'the focus goes to the service that was opened')
  t.match(await page.textContent('.pane'), '10.1.249.')
  await page.keyboard.press('Escape')
  await until(page, "document.querySelector('.pane') === null")
  t.match(await focused(), /^service-499, blue/, 'and back to where it was')
  await page.fill('input[type=search]', '49')
  await until(page, "document.querySelectorAll('tbody tr:not(.spacer)').length < 20")
  t.match(await page.textContent('.sum'), /^\d+ of 500 services/)
})
