import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The libraries of this folder are installed when its command runs; `tsc` of the repository does not have them.
const requireHere = createRequire(fileURLToPath(import.meta.url))

/** What is used of playwright-core. */
export interface Page {
  addInitScript(script: string): Promise<void>
  goto(url: string, options?: { waitUntil?: 'commit'; timeout?: number }): Promise<unknown>
  on(event: string, listener: (value: any) => void): void
  waitForSelector(selector: string, options?: { timeout?: number }): Promise<unknown>
  evaluate<T>(script: string): Promise<T>
  fill(selector: string, text: string): Promise<void>
  click(selector: string): Promise<void>
  press(selector: string, key: string): Promise<void>
  textContent(selector: string): Promise<string | null>
  screenshot(options: { path: string }): Promise<unknown>
  keyboard: { press(key: string): Promise<void> }
  emulateMedia(options: { colorScheme: 'light' | 'dark' }): Promise<void>
  setViewportSize(size: { width: number; height: number }): Promise<void>
  context(): { newCDPSession(page: Page): Promise<{ send(method: string, params?: object): Promise<any> }> }
  close(): Promise<void>
}

interface Tap {
  teardown(fn: () => unknown): void
  strictSame(found: unknown, wanted: unknown, message: string): unknown
}

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const
const TIMEOUT_MS = 120_000
const AXE = () => readFileSync(requireHere.resolve('axe-core/axe.min.js'), 'utf8')

/** What a page did that it must not do, and whom it asked. */
export interface Watched {
  readonly page: Page
  readonly hosts: Set<string>
  readonly problems: string[]
  /** Bytes of what was loaded, but for the events. */
  bytes(): Promise<number>
  /** Milliseconds of the processor that the main thread has taken so far. */
  taskMs(): Promise<number>
}

/** Opens a page in a Chromium of its own. */
export async function openPage(t: Tap): Promise<Watched> {
  const { chromium } = requireHere('playwright-core')
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  })
  t.teardown(() => browser.close())
  // The checker is put into the page past its policy, which forbids exactly that; pages are otherwise opened with it.
  const page: Page = await browser.newPage({ viewport: SIZES.desktop, reducedMotion: 'reduce' })
  const hosts = new Set<string>()
  const problems: string[] = []
  page.on('request', request => hosts.add(new URL(request.url()).host))
  page.on('pageerror', error => problems.push(`error: ${error.message}`))
  page.on('dialog', dialog => {
    problems.push(`dialog: ${dialog.message()}`)
    dialog.dismiss()
  })
  page.on('console', message => {
    if (message.type() === 'error' || /Content Security Policy/.test(message.text())) problems.push(message.text())
  })
  const bytes = () =>
    page.evaluate<number>(
      "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).filter(one => !one.name.includes('/events')).reduce((sum, one) => sum + one.decodedBodySize, 0)",
    )
  const devtools = await page.context().newCDPSession(page)
  // Processor time: what waits for other programs of a busy machine is not the page's.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const taskMs = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    return 1000 * metrics.find((one: { name: string }) => one.name === 'TaskDuration').value
  }
  return { page, hosts, problems, bytes, taskMs }
}

/** Takes a view on a desktop and on a phone, light and dark. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['LANEWAY_PICTURES'] ?? '.'
  const few = process.env['LANEWAY_FEW_PICTURES'] !== undefined
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport)
    for (const colorScheme of few && size === 'desktop'
      ? (['light'] as const)
      : few
        ? (['dark'] as const)
        : (['light', 'dark'] as const)) {
      await page.emulateMedia({ colorScheme })
      await settled(page)
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(SIZES.desktop)
}

/** Two frames later. */
function settled(page: Page): Promise<unknown> {
  return page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))')
}

/** What axe finds that is serious, in the light and in the dark. */
export async function assertAccessible(t: Tap, page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await settled(page)
    await page.evaluate(`(() => { ${AXE()} })()`)
    const found = await page.evaluate<string[]>(
      "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.filter(one => one.impact === 'serious' || one.impact === 'critical').map(one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 120) + ' ' + (node.any[0]?.message ?? '')).slice(0, 3).join(' | ')))",
    )
    t.strictSame(found, [], `axe finds nothing serious in ${name}, ${colorScheme}`)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** Goes to a view and waits for what it shows. */
export async function goTo(page: Page, url: string, hash: string, selector: string): Promise<void> {
  await page.goto(new URL(`#${hash}`, url).href, { timeout: TIMEOUT_MS })
  await page.waitForSelector(selector, { timeout: TIMEOUT_MS })
}

/** Waits until the text of an element matches. */
export const untilText = (page: Page, selector: string, text: RegExp, withinMs = TIMEOUT_MS): Promise<void> =>
  until(page, `${text}.test(document.querySelector('${selector}')?.textContent ?? '')`, withinMs)

/** Waits until an expression is true in the page; its policy forbids the browser's own way to wait for one. */
export async function until(page: Page, expression: string, withinMs = TIMEOUT_MS): Promise<void> {
  const end = Date.now() + withinMs
  while (!(await page.evaluate<boolean>(`Boolean(${expression})`))) {
    if (Date.now() > end) throw new Error(`not true in the page after ${withinMs / 1000} s: ${expression}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
