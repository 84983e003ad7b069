import t from 'tap'
import { ask, program, startApp } from './start-app.js'

/** The query, the lane of the request that is being served, and the lane of the one that is injected. */
const CASES: [query: string, outer: string | undefined, inner: string][] = [
  ['?in=gray', undefined, 'gray'],
  ['?in=blue', undefined, 'blue'],
  ['', undefined, 'none'],
  ['?in=blue', 'gray', 'blue'],
  ['', 'gray', 'none'],
  ['?in=gray&from=8.8.8.8', undefined, 'none'],
  ['?in=gray&from=8.8.8.8', 'blue', 'none'],
  ['?in=not/a/tag', 'blue', 'none'],
]

for (const framework of ['express', 'express4', 'koa', 'fastify']) {
  t.test(`${framework}: a request that is injected runs in its lane, the first included`, async t => {
    const app = await startApp(t, program('injected.mjs'), { args: [framework] })
    for (let round = 0; round < 2; round++) {
      const seen = await Promise.all(CASES.map(([query, outer]) => ask(`${app.url}/${query}`, outer)))
      t.strictSame(
        seen,
        CASES.map(([, , lane]) => [lane, lane, lane].join()),
      )
    }
    t.equal(app.output.stderr, '')
  })
}

t.test('handed to an HTTP server that does not listen, it runs in its lane behind any handler', async t => {
  const app = await startApp(t, program('injected.mjs'), { args: ['emitted'] })
  const tags = ['gray', undefined, 'blue']
  const seen = await Promise.all(tags.map(tag => ask(`${app.url}/${tag === undefined ? '' : `?in=${tag}`}`)))
  t.strictSame(
    seen,
    tags.map((tag = 'none') => [tag, tag, tag].join()),
  )
})

t.test('with LANEWAY_DISABLE=ingress, and behind no framework, it runs in the lane around it', async t => {
  const disabled = await startApp(t, program('injected.mjs'), {
    args: ['express'],
    environment: { LANEWAY_DISABLE: 'ingress' },
  })
  t.equal(await ask(`${disabled.url}/?in=gray`), 'none,none,none')
  const plain = await startApp(t, program('injected.mjs'), { args: ['plain'] })
  t.equal(await ask(`${plain.url}/?in=gray`, 'blue'), 'blue,blue,unheard')
  t.equal(await ask(`${plain.url}/?in=gray`), 'none,none,unheard')
})
