// A release of the demo with `--console`, by the commands of the story and with little traffic, seen through the page.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../../../examples/end-to-end-canary/src/commands/run-command.js'
import { parseStoryOptions } from '../../../examples/end-to-end-canary/src/options.js'
import { startPlay } from '../../../examples/end-to-end-canary/src/play/play.js'
import { assertAccessible, goTo, openPage, picture, until } from '../browser.mjs'

const MANIFESTS = 'examples/end-to-end-canary/k8s/laneway-gateway'
const WAIT_MS = 150_000

t.test('the story moves on the page', async t => {
  const options = parseStoryOptions(['--console', '--speed', '20'], MANIFESTS)
  if (options === 'help') return t.fail('these are options of a story')
  const folder = mkdtempSync(join(tmpdir(), 'laneway-console-demo-'))
  const play = await startPlay(options, MANIFESTS, folder)
  let calling = true
  t.teardown(async () => {
    await play.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const run = (...argv: string[]) => runCommand(play, argv, process.cwd())
  const url = play.consoleUrl ?? ''
  const { page, hosts, problems } = await openPage(t)
  await goTo(page, url, 'matrix', '.empty')
  await run('apply', '-f', MANIFESTS)
  // Services come, and the page shows them without being asked to; then the first gray instances.
  for (const service of ['sc-A', 'sc-B', 'sc-C']) {
    await page.waitForSelector(`[aria-label^="${service}, base: 1/1"], [aria-label^="${service}, base: 2/2"]`, {
      timeout: WAIT_MS,
    })
  }
  const visits = (async () => {
    for (let count = 0; calling; count++) {
      const headers = count % 2 === 0 ? { 'user-agent': 'xiaoming' } : {}
      await fetch(`${play.url}/a`, { headers }).then(
        answer => answer.text(),
        () => {},
      )
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  })()
  // Before the play ends: what was registered last is called first.
  t.teardown(() => {
    calling = false
    return visits
  })
  await run('set-image', 'a=2.0.1', 'c=2.0.1')
  await page.waitForSelector('[aria-label^="sc-A, gray: 1/1"]', { timeout: WAIT_MS })
  await page.waitForSelector('[aria-label^="sc-C, gray: 1/1"]', { timeout: WAIT_MS })
  t.match(
    await page.evaluate("document.querySelector('[aria-label^=\"sc-B, gray\"]').getAttribute('aria-label')"),
    /→ base falls back to base/,
  )
  await picture(page, 'demo-matrix')
  await goTo(page, url, 'matrix?service=sc-A', '.instances li:nth-child(2)')
  await picture(page, 'demo-service')
  await assertAccessible(t, page, 'the matrix with a service')

  await goTo(page, url, 'map?lane=gray&beside=base', '.canvas')
  // A straight line has no height, so it is not visible in the browser's sense.
  await until(page, "document.querySelector('.canvas .served path')")
  await until(
    page,
    "document.querySelectorAll('.place').length >= 8 && /gateway → sc-A/.test(document.querySelector('main').textContent)",
  )
  // B has no gray instance, so the lane falls back there.
  await until(page, "document.querySelector('.canvas .back path')")
  const rows = await page.evaluate<string[]>(
    "[...document.querySelectorAll('.lane-map')[0].querySelectorAll('tbody tr')].map(one => one.textContent)",
  )
  t.match(
    rows.find(row => row.startsWith('sc-A → sc-B')) ?? '',
    /sc-A → sc-B0[\d.]+0$/,
    'all fall back, none is in the lane, none fails',
  )
  await assertAccessible(t, page, 'the map')
  await picture(page, 'demo-map')

  await goTo(page, url, 'ask', 'form')
  await page.fill('[name=service]', 'sc-C')
  await page.fill('[name=request]', 'GET /a')
  await page.fill('[name=headers]', 'User-Agent: xiaoming')
  await page.click('button.main')
  await page.waitForSelector('.answer .card:nth-child(2)')
  t.match(await page.textContent('.answer'), /gets gray/)
  await assertAccessible(t, page, 'the answer')
  await picture(page, 'demo-ask')
  // The tree of a real request: B has no gray instance, C has one.
  await page.click('button[value=trace]')
  await page.waitForSelector('.answer .trace:not(.wrapped)')
  const tree = (await page.textContent('.answer .trace')) ?? ''
  t.match(tree, /gateway.*gray.*sc-A +gray.*sc-B +base.*sc-C +gray/s)
  await assertAccessible(t, page, 'the path of a request')
  await picture(page, 'demo-trace')

  await goTo(page, url, 'release', '.card')
  await page.waitForSelector('.chip.paused, .chip.working, .chip.done')
  t.match(await page.textContent('main'), /rollout-a/)
  await assertAccessible(t, page, 'the release')
  await picture(page, 'demo-release')
  await goTo(page, url, 'messages', '.empty')
  t.strictSame([...hosts], [new URL(url).host])
  t.strictSame(problems, [])
})
