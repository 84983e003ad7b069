// The story of `npm run demo -- --console`, seen through the page.
import { type ChildProcess, spawn } from 'node:child_process'
import t from 'tap'
import { assertAccessible, goTo, openPage, picture, until } from '../browser.mjs'

/** Starts the demo and waits for what it prints. */
function startDemo(): {
  child: ChildProcess
  printed: (pattern: RegExp) => Promise<string>
  ended: Promise<number | null>
} {
  const args = [
    '--import',
    'tsx',
    'examples/end-to-end-canary/src/demo.ts',
    '--console',
    '--rate',
    '200',
    '--speed',
    '4',
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const looks = new Set<() => void>()
  child.stdout.on('data', chunk => {
    output += chunk
    for (const look of looks) look()
  })
  const ended = new Promise<number | null>(resolve => child.on('exit', resolve))
  const printed = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(output)
        if (found === null) return
        looks.delete(look)
        resolve(found[1] ?? found[0])
      }
      looks.add(look)
      look()
      void ended.then(code =>
        reject(new Error(`the demo ended with ${code} before it printed ${pattern}\n${output.slice(-2000)}`)),
      )
    })
  return { child, printed, ended }
}

t.test('the story moves on the page', async t => {
  const { child, printed, ended } = startDemo()
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const url = await printed(/the console is at (\S+)/)
  const { page, hosts, problems } = await openPage(t)
  await page.goto(url)
  await page.waitForSelector('tbody .cell', { timeout: 120_000 })
  // The first gray instances come, and the page shows them without being asked to.
  await page.waitForSelector('[aria-label^="sc-A, gray: 1/1"]', { timeout: 150_000 })
  await page.waitForSelector('[aria-label^="sc-C, gray: 1/1"]', { timeout: 60_000 })
  t.match(
    await page.evaluate("document.querySelector('[aria-label^=\"sc-B, gray\"]').getAttribute('aria-label')"),
    /→ base falls back to base/,
  )
  await picture(page, 'demo-matrix')
  await goTo(page, url, 'matrix?service=sc-A', '.instances li:nth-child(2)')
  await picture(page, 'demo-service')
  await assertAccessible(t, page, 'the matrix with a service')

  await goTo(page, url, 'map?lane=gray&beside=base', '.edge .served path')
  await until(
    page,
    "document.querySelectorAll('.place').length >= 8 && /entrance → sc-A/.test(document.querySelector('main').textContent)",
  )
  // B has no gray instance, so the lane falls back there.
  await page.waitForSelector('.edge .back path')
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

  await goTo(page, url, 'release', '.card')
  await page.waitForSelector('.chip.paused, .chip.working, .chip.done')
  t.match(await page.textContent('main'), /rollout-a/)
  await assertAccessible(t, page, 'the release')
  await picture(page, 'demo-release')
  await goTo(page, url, 'messages', '.empty')
  t.strictSame([...hosts], [new URL(url).host])
  t.strictSame(problems, [])
})
