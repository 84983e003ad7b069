// With NODE_USE_ENV_PROXY=1 and HTTP_PROXY: fetch has a proxy before any code runs.

import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, seenServer } from '@laneway/testkit/egress'
import t from 'tap'
import { createLaneFetch } from '../../src/index.js'

t.test('services are called past the proxy of the environment, third parties through it without the tag', async t => {
  const gray = await seenServer(t, 'gray')
  const laneFetch = createLaneFetch({
    resolver: fakeResolver({ 'sc-b': [endpoint('127.0.0.1', gray.port, 'gray')] }),
    warn: () => {},
  })
  await runInLane('gray', async () => {
    const ask = async (url: string, headers = {}) => (await laneFetch(url, { headers })).json()
    t.match(await ask('http://sc-b/x'), { instance: 'gray', host: 'sc-b', tags: ['gray'] })
    t.match(await ask('http://third.example/x'), { instance: 'outside', tags: [] })
    t.match(await ask('http://third.example/x', { 'x-mse-tag': 'gray' }), { instance: 'outside', tags: [] }, 'by hand')
    t.match(await ask('http://orders.shop.svc/x'), { instance: 'outside', tags: ['gray'] })
  })
})
