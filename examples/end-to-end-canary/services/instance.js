// What the three services share: their name in the path, start and graceful end.
import { createServer } from 'node:http'
import { currentLane } from '@laneway/core'

const tag = process.env.LANEWAY_TAG ?? ''

/** `Agray[127.0.0.1:20001]`, and after a `|` what this hop saw on the wire and in its context. */
export function instance(name, req) {
  const { localAddress, localPort } = req.socket
  const seen = process.env.SHOW_LANES ? `{${req.headers['x-mse-tag'] ?? ''}|${currentLane()?.header ?? ''}}` : ''
  return `${name}${tag}[${localAddress}:${localPort}]${seen}`
}

/** Listens on a free port, tells it on standard output, and on SIGTERM answers what is under way before it ends. */
export async function serve(app, close) {
  const server = typeof app === 'function' ? createServer(app) : app
  server.keepAliveTimeout = 60_000
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve)
  })
  console.log(`listening on ${server.address().port}`)
  process.once('SIGTERM', async () => {
    server.closeIdleConnections()
    if (close === undefined) server.close(() => process.exit(0))
    else await close().then(() => process.exit(0))
    setInterval(() => server.closeIdleConnections(), 50).unref()
  })
}
