import { runInLane } from '@laneway/core'
import { echoed, egressEvents, type Sentences, scene, tagsOf } from '../sentences.js'

const REQUESTS = 30

/** Which lane a call has. */
export const laneSentences: Sentences = {
  async 'a valid tag set by hand is the lane of the call, for the pick too'(t, adapter) {
    const { base, gray, resolver, client } = await scene(t, adapter)
    for (const name of ['x-mse-tag', 'X-MSE-TAG']) {
      await runInLane('blue', client, 'http://sc-b/', { headers: { [name]: 'gray' } })
      t.strictSame(gray.seen.pop()?.tags, ['gray'])
      t.equal(resolver.picks.pop()?.lane, 'gray')
    }
    t.equal(base.seen.length, 0)
  },

  async 'an invalid tag set by hand is removed and counted, and the lane of the caller counts'(t, adapter) {
    const { base, gray, client } = await scene(t, adapter)
    const events = egressEvents(t)
    const twoLines = adapter.cannotSend?.includes('two lines') !== true
    const values = ['not a tag', 'a,b,c,d,e', '__proto__', ...(twoLines ? [['gray', 'blue']] : [])]
    for (const value of values) {
      await runInLane('gray', client, 'http://sc-b/', { headers: { 'x-mse-tag': value } })
      await client('http://sc-b/', { headers: { 'x-mse-tag': value } })
    }
    t.ok(tagsOf(gray).every(tags => tags.join('|') === 'gray'))
    t.ok(tagsOf(base).every(tags => tags.length === 0))
    t.strictSame([gray.seen.length, base.seen.length], [values.length, values.length])
    t.equal(events.filter(one => one.action === 'invalid').length, 2 * values.length)
    t.equal(events.filter(one => one.action === 'forwarded').length, values.length)
  },

  async 'never two values or two lines of the lane header'(t, adapter) {
    const { gray, client } = await scene(t, adapter)
    await runInLane('gray', client, 'http://sc-b/', { headers: { 'X-MSE-Tag': 'gray' } })
    if (adapter.cannotSend?.includes('two lines') !== true) {
      await runInLane('gray', client, 'http://sc-b/', { headers: { 'x-mse-tag': ['gray', 'gray'] } })
      await client('http://sc-b/', { headers: { 'x-mse-tag': ['gray', 'gray'] } })
    }
    t.ok(gray.seen.length > 0)
    t.ok(tagsOf(gray).every(tags => tags.join('|') === 'gray'))
  },

  async 'requests at the same time keep their own lanes'(t, adapter) {
    const { client, resolver } = await scene(t, adapter)
    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, index) => {
        const lane = [undefined, 'gray', 'blue'][index % 3]
        const { instance, tags, body } = echoed(
          await runInLane(lane, client, 'http://sc-b/', { method: 'POST', body: String(index) }),
        )
        return [instance, tags.join('|'), body]
      }),
    )
    t.strictSame(
      answers,
      answers.map((_, index) => {
        const lane = ['', 'gray', 'blue'][index % 3]
        return [lane === 'gray' ? 'gray' : 'base', lane, String(index)]
      }),
    )
    t.equal(resolver.inFlight, 0)
  },
}
