import { fakeResolver } from '@laneway/testkit/egress'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { composeLane } from '../src/index.js'
import { createUndiciPatch } from '../src/internal.js'
import { callbackSuite } from './suite/callback-suite.js'
import { patch } from './suite/patched-copy.js'
import type { UndiciCopy } from './suite/undici-copy.js'

const copies = { 6: undici6 as unknown as UndiciCopy, 7: undici7 as UndiciCopy } as const

for (const major of [6, 7] as const) {
  const undici = copies[major]
  t.test(`undici ${major}, composed`, async t =>
    callbackSuite(t, { undici, major }, (resolver, options) =>
      composeLane(new undici.Agent(options), { resolver, warn: () => {} }),
    ),
  )
  t.test(`undici ${major}, composed with an interceptor`, async t =>
    callbackSuite(t, { undici, major }, (resolver, options) =>
      composeLane(
        new undici.Agent(options),
        { resolver, warn: () => {} },
        (dispatch: any) => (options: unknown, handler: unknown) => dispatch(options, handler),
      ),
    ),
  )
}
for (const major of [6, 7] as const) {
  const undici = copies[major]
  t.test(`undici ${major}, patched`, async t => {
    let current = fakeResolver({})
    // A copy is patched once; the resolver behind the patch is each test's own.
    const resolver = new Proxy({}, { get: (_target, key) => current[key as never] }) as never
    patch(undici, createUndiciPatch({ resolver, warn: () => {} }))
    callbackSuite(t, { undici, major }, (own, options) => {
      current = own
      return new undici.Agent(options)
    })
  })
}
