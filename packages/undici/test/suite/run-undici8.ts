import t from 'tap'
import * as undici from 'undici8'
import { composeLane } from '../../src/index.js'
import { callbackSuite } from './callback-suite.js'
import { laneSuite } from './lane-suite.js'
import type { UndiciCopy } from './undici-copy.js'

const copy = { undici: undici as unknown as UndiciCopy, major: 8 } as const
laneSuite(t, copy)
t.test('callbacks', async t =>
  callbackSuite(t, copy, (resolver, options) =>
    composeLane(new copy.undici.Agent(options), { resolver, warn: () => {} }),
  ),
)
