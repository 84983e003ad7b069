import { seenServer } from '@laneway/testkit/egress'
import t from 'tap'
import { builtInSuite } from './suite/built-in-suite.js'
import { onNode } from './suite/other-node.js'
import { proxyTo } from './suite/proxy-to.js'

builtInSuite(t)
for (const major of [22, 24, 26]) {
  t.test(`the built-in fetch of Node ${major}`, t => onNode(t, major, 'run-built-in.ts'))
}

for (const major of [22, 24, 26]) {
  t.test(`NODE_USE_ENV_PROXY on Node ${major}`, async t => {
    const outside = await seenServer(t, 'outside')
    const proxy = await proxyTo(t, outside.port)
    await onNode(t, major, 'run-env-proxy.ts', { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.uri, NO_PROXY: '' })
    t.notOk(
      proxy.asked.some(request => request.includes('sc-b')),
      'the proxy was not asked for the service',
    )
    t.ok(
      proxy.tags.every(tag => tag === undefined),
      'the proxy got no tag',
    )
  })
}
