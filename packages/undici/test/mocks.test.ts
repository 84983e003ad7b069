import { runInLane } from '@laneway/core'
import t from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'
import { createLaneFetch } from '../src/index.js'
import { composedMocks, mockServers, mockSuite } from './suite/mock-suite.js'
import type { UndiciCopy } from './suite/undici-copy.js'

for (const [major, undici] of [
  [6, undici6 as unknown as UndiciCopy],
  [7, undici7 as UndiciCopy],
] as const) {
  for (const [form, make] of Object.entries(composedMocks({ undici, major }))) {
    t.test(`undici ${major}: ${form}`, async t => mockSuite(t, { undici, major }, await mockServers(t), make))
  }
}

t.test('a MockAgent set for the built-in fetch', async t => {
  const { resolver, base, gray } = await mockServers(t)
  const laneFetch = createLaneFetch({ resolver, warn: () => {} })
  // The undici of this Node is 6 or 7; both take the other's MockAgent.
  const mock = new undici7.MockAgent()
  const before = undici7.getGlobalDispatcher()
  undici7.setGlobalDispatcher(mock)
  t.teardown(() => {
    undici7.setGlobalDispatcher(before)
    return mock.close()
  })
  mock.disableNetConnect()
  mock
    .get('http://sc-b')
    .intercept({ path: '/', headers: { 'x-mse-tag': 'gray' } })
    .reply(200, 'mocked')
  t.equal(await (await runInLane('gray', () => laneFetch('http://sc-b/'))).text(), 'mocked')
  await t.rejects(runInLane('gray', () => laneFetch('http://sc-b/other')))
  t.equal(base.seen.length + gray.seen.length, 0)
})
