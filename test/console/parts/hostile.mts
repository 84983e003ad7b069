// Names and metadata of a registry that want to be more than text, and requests that want more than they may have.
import { startConsole } from '@laneway/console'
import type { EndpointInput, Source } from '@laneway/discovery'
import t from 'tap'
import { assertAccessible, goTo, openPage, picture } from '../browser.mjs'

const MARKUP = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  "'onmouseover='alert(3)",
  'javascript:alert(4)',
  '</style><style>*{display:none}</style>',
  '{{constructor.constructor("alert(5)")()}}',
  '\u202egnp.exe',
  `long-${'x'.repeat(300)}`,
  '__proto__',
  'constructor',
]

/** Gives out whatever it is told to, which sources that check names would not. */
function hostileSource(): Source {
  const services = new Map<string, EndpointInput[]>(
    MARKUP.map((text, index) => [
      text,
      [
        { host: `10.0.0.${index + 1}`, port: 80, metadata: { version: text, [text]: text } },
        {
          host: `10.0.1.${index + 1}`,
          port: 80,
          tags: [text],
          zone: text,
          metadata: { 'alicloud.service.tags': text },
        },
        { host: text, port: 80, metadata: { 'alicloud.service.tags': text } },
      ],
    ]),
  )
  return {
    name: '<b>hostile</b>',
    where: '<i>here</i>',
    subscribe(service, listener) {
      listener.snapshot(services.get(service) ?? [])
      return () => {}
    },
    list(listener) {
      listener(new Set(services.keys()))
      return () => {}
    },
    connection: () => ({ connected: false, error: new Error('<img src=x onerror=alert(6)>') }),
    async close() {},
  }
}

t.test('what a registry says is never markup', async t => {
  const flows = MARKUP.map(text => ({
    from: text,
    to: MARKUP[0]!,
    lane: text,
    served: text,
    outcome: text,
    perSecond: 3,
  }))
  const running = await startConsole({
    sources: [hostileSource()],
    flows: { name: MARKUP[0]!, read: async () => flows },
    releases: {
      name: MARKUP[0]!,
      read: async () => ({
        rollouts: MARKUP.map(text => ({
          name: text,
          workload: text,
          phase: text,
          step: 1,
          steps: [text],
          stepState: text,
          message: text,
          stage: 'paused' as const,
        })),
        routings: MARKUP.map(text => ({ name: text, phase: text, message: text, colours: text, target: text })),
      }),
    },
    messages: [
      {
        name: MARKUP[0]!,
        read: async () => ({
          queues: MARKUP.map(text => ({
            system: text,
            name: text,
            group: text,
            lane: text,
            owner: text,
            consumers: 0,
            lag: 1,
          })),
          conflicts: MARKUP,
          ledger: { name: MARKUP[0]!, records: 1, lastMs: 0 },
        }),
      },
    ],
    decide: { name: MARKUP[0]!, request: () => ({ lane: MARKUP[0], by: MARKUP[1]!, lines: MARKUP }) },
  })
  t.teardown(() => running.close())
  const { page, hosts, problems, bytes } = await openPage(t)
  await goTo(page, running.url, 'matrix', 'tbody .cell')
  const service = encodeURIComponent(MARKUP[0]!)
  for (const [hash, selector] of [
    [`matrix?service=${service}`, '.instances li'],
    [`map?lane=${encodeURIComponent(MARKUP[1]!)}`, '.place'],
    ['release', '.card'],
    ['messages', 'tbody tr'],
    ['ask', 'form'],
  ] as const) {
    await goTo(page, running.url, hash, selector)
    if (hash === 'ask') {
      await page.fill('[name=request]', 'GET /')
      await page.click('button.main')
      await page.waitForSelector('.answer .trace')
    }
    const found = await page.evaluate<number>(
      'document.querySelectorAll(\'script:not([src="page.js"]), img, iframe, style, [onerror], [onmouseover], b, i\').length',
    )
    t.equal(found, 0, `${hash} has no element that a name wrote`)
    t.ok((await page.textContent('main'))?.includes('<img src=x onerror=alert(1)>'), `${hash} shows the name as text`)
  }
  t.equal(await page.evaluate("document.querySelectorAll('a[href^=javascript]').length"), 0)
  t.strictSame([...hosts], [new URL(running.url).host], 'the page asks nobody else')
  t.strictSame(problems, [], 'nothing ran, and the policy had nothing to forbid')
  const loaded = await bytes()
  t.ok(loaded > 20_000 && loaded <= 200_000, `the page loads ${loaded} bytes`)
  await goTo(page, running.url, `matrix?service=${service}`, '.instances li')
  await picture(page, 'hostile')
  t.strictSame(Object.keys(Object.prototype), [], 'no name reached the prototype of all objects')
})

t.test('a policy violation would be seen', async t => {
  const running = await startConsole({ sources: [hostileSource()] })
  t.teardown(() => running.close())
  const { page, problems } = await openPage(t)
  await goTo(page, running.url, 'matrix', 'tbody .cell')
  await page.evaluate(
    "(() => { const s = document.createElement('style'); s.textContent = 'a{}'; document.head.append(s) })()",
  )
  t.ok(problems.some(one => /Content Security Policy/.test(one)))
})

t.test('empty, lost and without anything to read: each view says what is missing', async t => {
  const source: Source = {
    name: 'nacos',
    where: 'nacos:8848',
    subscribe: () => () => {},
    list(listener) {
      listener(new Set())
      return () => {}
    },
    connection: () => ({ connected: false, error: new Error('connect ECONNREFUSED') }),
    close: async () => {},
  }
  const running = await startConsole({ sources: [source] })
  const { page } = await openPage(t)
  for (const [hash, text] of [
    ['matrix', 'No services yet'],
    ['map', 'No source of traffic'],
    ['ask', 'Nothing to ask'],
    ['release', 'No releases'],
    ['messages', 'No broker'],
  ] as const) {
    await goTo(page, running.url, hash, '.empty')
    t.match(await page.textContent('main'), text)
    await assertAccessible(t, page, `empty ${hash}`)
  }
  await goTo(page, running.url, 'matrix', '.problem')
  await picture(page, 'empty')
  await running.close()
  await page.waitForSelector('.state.lost')
  t.match(await page.textContent('main'), /does not answer/)
})
