import { runInLane } from '@laneway/core'
import { switchLaneway } from '@laneway/core/internal'
import type { Test } from 'tap'
import type { EgressAdapter } from '../egress-adapter.js'
import { egressEvents, type Sentences, scene, tagsOf } from '../sentences.js'

/** Values that Laneway would remove or repair. */
const HAND_SET = ['gray', 'not a tag'] as const

/** As if Laneway was not there: nothing is asked, written or removed. */
async function leavesAlone(t: Test, adapter: EgressAdapter, before: () => void): Promise<void> {
  before()
  const { base, resolver, client } = await scene(t, adapter)
  const events = egressEvents(t)
  const url = `http://localhost:${base.port}/`
  await runInLane('gray', client, url)
  for (const tag of HAND_SET) await client(url, { headers: { 'x-mse-tag': tag, baggage: 'a=1,x-mse-tag=blue' } })
  t.strictSame(tagsOf(base), [[], ...HAND_SET.map(tag => [tag])])
  t.ok(base.seen.slice(1).every(({ baggage }) => baggage === 'a=1,x-mse-tag=blue'))
  // Nothing listens at port 80 of the loopback: DNS alone finds no service.
  await t.rejects(client('http://sc-b/'))
  t.strictSame([resolver.picks.length, events.length], [0, 0])
}

/** Laneway switched off while it runs, and by `LANEWAY_DISABLE`. */
export const switchSentences: Sentences = {
  async 'switched off, a call goes where it would go without Laneway, as the caller made it'(t, adapter) {
    t.teardown(() => switchLaneway(true))
    await leavesAlone(t, adapter, () => switchLaneway(false))
  },

  async 'LANEWAY_DISABLE=all does the same from the start'(t, adapter) {
    t.teardown(() => {
      delete process.env['LANEWAY_DISABLE']
    })
    await leavesAlone(t, adapter, () => {
      process.env['LANEWAY_DISABLE'] = 'all'
    })
  },

  async 'what began in a lane goes on in it when Laneway is switched off, and on again all is as before'(t, adapter) {
    t.teardown(() => switchLaneway(true))
    const { base, gray, client } = await scene(t, adapter)
    await runInLane('gray', async () => {
      await client('http://sc-b/')
      switchLaneway(false)
      await client('http://sc-b/')
    })
    t.strictSame(tagsOf(gray), [['gray'], ['gray']])
    switchLaneway(true)
    await client('http://sc-b/')
    await runInLane('gray', client, 'http://sc-b/')
    t.strictSame([base.seen.length, gray.seen.length], [1, 3])
  },
}
