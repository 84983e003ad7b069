import t from 'tap'
import { composeLane } from '../src/index.js'
import { callbackSuite } from './suite/callback-suite.js'
import { laneSuite } from './suite/lane-suite.js'
import type { UndiciCopy } from './suite/undici-copy.js'

const skip = process.version.startsWith('v20.') && 'undici 8 needs Node 22.19'

t.test('undici 8', { skip }, async t => {
  const copy = { undici: (await import('undici8')) as unknown as UndiciCopy, major: 8 } as const
  laneSuite(t, copy)
  t.test('callbacks', async t =>
    callbackSuite(t, copy, (resolver, options) =>
      composeLane(new copy.undici.Agent(options), { resolver, warn: () => {} }),
    ),
  )
})
