import { runInLane } from '@laneway/core'
import { type Sentences, scene } from '../sentences.js'

const NAMES = ['x-lane', 'x-mse-tag', 'x-old']

/** `header` as a list, for migrations. */
export const headerListSentences: Sentences = {
  async 'of a list of headers the first that the caller set is read, and all are written'(t, adapter) {
    const { base, gray, client } = await scene(t, adapter, { header: NAMES })
    const lanesOf = (server: typeof base) => {
      const one = server.seen.pop()
      return NAMES.map(name => one?.headers[name])
    }
    await runInLane('gray', client, 'http://sc-b/')
    t.strictSame(lanesOf(gray), ['gray', 'gray', 'gray'])
    await client('http://sc-b/', { headers: { 'X-Old': 'gray' } })
    t.strictSame(lanesOf(gray), ['gray', 'gray', 'gray'], 'set by hand under the last name')
    await client('http://sc-b/', { headers: { 'x-old': 'blue', 'x-mse-tag': 'gray' } })
    t.strictSame(lanesOf(gray), ['gray', 'gray', 'gray'], 'the first in the order of the list')
    await client('http://sc-b/', { headers: { 'x-mse-tag': 'no tag', 'x-old': 'gray' } })
    t.strictSame(lanesOf(base), [undefined, undefined, undefined], 'one that is no tag decides, too')
    await client('http://sc-b/')
    t.strictSame(lanesOf(base), [undefined, undefined, undefined])
    const url = `http://third.example:${base.port}/`
    await runInLane('gray', client, url, { headers: { 'x-lane': 'gray', 'x-old': 'gray' } })
    t.strictSame(lanesOf(base), [undefined, undefined, undefined], 'out of scope')
  },
}
