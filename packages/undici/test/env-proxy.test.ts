import { fileURLToPath } from 'node:url'
import { seenServer } from '@laneway/testkit/egress'
import t from 'tap'
import { proxyTo } from './suite/proxy-to.js'

const skip = process.version.startsWith('v20.') && 'Node 20 has no NODE_USE_ENV_PROXY'

t.test('NODE_USE_ENV_PROXY: the proxy gets third parties, without the tag', { skip }, async t => {
  const outside = await seenServer(t, 'outside')
  const proxy = await proxyTo(t, outside.port)
  const file = fileURLToPath(new URL('suite/run-env-proxy.ts', import.meta.url))
  const environment = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.uri, NO_PROXY: '' }
  await t.spawn(process.execPath, ['--import=tsx', '--conditions=@laneway/source', file], {
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  })
  t.notOk(
    proxy.asked.some(request => request.includes('sc-b')),
    'the proxy was not asked for the service',
  )
  t.ok(
    proxy.tags.every(tag => tag === undefined),
    'the proxy got no tag',
  )
})
