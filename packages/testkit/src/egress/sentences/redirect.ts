import { runInLane } from '@laneway/core'
import type { Test } from 'tap'
import type { EgressAdapter, EgressClient } from '../egress-adapter.js'
import { fakeResolver } from '../fake-resolver.js'
import { type Answer, closedPort, type SeenServer, seenServer } from '../seen-server.js'
import { type Sentences, tagsOf } from '../sentences.js'

/** Redirects to the URL in the query, if there is one. */
const redirecting: Answer = (seen, response) => {
  const to = new URL(seen.url, 'http://x').searchParams.get('to')
  if (to === null) response.end(seen.instance)
  else response.writeHead(307, { location: to }).end()
}

interface RedirectScene {
  readonly gray: SeenServer
  readonly base: SeenServer
  readonly third: SeenServer
  /** A third party that redirects. */
  readonly far: string
  readonly client: EgressClient
}

async function redirectScene(
  t: Test,
  following: NonNullable<EgressAdapter['following']>,
  keepHandSet = false,
): Promise<RedirectScene> {
  const gray = await seenServer(t, 'gray', redirecting)
  const base = await seenServer(t, 'base', redirecting)
  const third = await seenServer(t, 'third', redirecting)
  const resolver = fakeResolver({
    'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }],
    'sc-d': [{ port: await closedPort(), tag: 'gray' }, { port: base.port }],
  })
  const client = following(t, { resolver, keepHandSet, warn() {} })
  return { gray, base, third, far: `http://third.example:${third.port}/`, client }
}

/** What clients that follow redirects do with the tag. */
export const redirectSentences: Sentences = {
  async 'a redirect to a service is resolved again, stays in the lane, and starts with no failures'(t, adapter) {
    const { gray, base, client } = await redirectScene(t, adapter.following!)
    const { body } = await runInLane('gray', client, 'http://sc-b/1?to=http://sc-d/2')
    t.equal(body, 'base', 'the only gray endpoint of the second service refuses')
    t.strictSame(tagsOf(gray), [['gray']])
    t.match(base.seen, [{ url: '/2', tags: ['gray'], host: 'sc-d' }])
  },

  async 'a redirect to a third party loses the tag, hand-set or not, and foreign headers pass'(t, adapter) {
    const { gray, third, far, client } = await redirectScene(t, adapter.following!)
    await runInLane('gray', client, `http://sc-b/1?to=${far}context`)
    await client(`http://sc-b/1?to=${far}hand`, { headers: { 'x-mse-tag': 'gray', 'x-other': 'kept' } })
    t.strictSame(tagsOf(gray), [['gray'], ['gray']])
    t.match(third.seen, [{ tags: [] }, { tags: [], headers: { 'x-other': 'kept' } }])
  },

  async 'a redirect from a third party to a service gets the tag'(t, adapter) {
    const { gray, third, far, client } = await redirectScene(t, adapter.following!)
    await runInLane('gray', client, `${far}?to=http://sc-b/back`)
    t.strictSame(tagsOf(third), [[]])
    t.match(gray.seen, [{ url: '/back', tags: ['gray'], host: 'sc-b' }])
  },

  async 'keepHandSet holds for the host that was called, never on a redirect hop'(t, adapter) {
    const { gray, third, far, client } = await redirectScene(t, adapter.following!, true)
    const headers = { 'x-mse-tag': 'gray' }
    await client(`${far}called`, { headers })
    await client(`http://sc-b/1?to=${far}redirected`, { headers })
    await client(`http://sc-b/1?to=http://sc-b/2%3Fto=${far}twice`, { headers })
    await client(`${far}called-again`, { headers })
    t.strictSame(
      third.seen.map(({ url, tags }) => `${url} ${tags}`),
      ['/called gray', '/redirected ', '/twice ', '/called-again gray'],
    )
    t.strictSame(tagsOf(gray), [['gray'], ['gray'], ['gray']])
  },
}
