import t from 'tap'
import { CLIENTS, judge, startNetwork } from './proxied-network.js'
import { program, startApp } from './start-app.js'

const skip = process.version.startsWith('v20.') && 'Node 20 has no NODE_USE_ENV_PROXY'

t.test('NODE_USE_ENV_PROXY: services are called past the proxy by every client', { skip }, async t => {
  const network = await startNetwork(t)
  const { environment, proxy } = network
  const app = await startApp(t, program('proxied.mjs'), {
    environment: { ...environment, PROXY: proxy, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
  })
  for (const client of [...CLIENTS, 'fetch']) await judge(t, network, app, client)
})
