// What the services share: their name in the path, and the start. Nobody here listens to SIGTERM.
import { createServer } from 'node:http'

const tag = process.env.LANEWAY_TAG ?? ''
// Only to show what a hop saw; the services need nothing of Laneway.
const { currentLane } = process.env.SHOW_LANES ? await import('@laneway/core') : {}

/** `Agray[127.0.0.1:20001]`, with SHOW_LANES followed by what this hop saw on the wire and in its context. */
export function instance(name, req) {
  const { localAddress, localPort } = req.socket
  const seen = currentLane ? `{${req.headers['x-mse-tag'] ?? ''}|${currentLane()?.header ?? ''}}` : ''
  return `${name}${tag}[${localAddress}:${localPort}]${seen}`
}

/** @param app - a server, or a request handler */
export async function serve(app) {
  const server = typeof app === 'function' ? createServer(app) : app
  server.keepAliveTimeout = 60_000
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve)
  })
  console.log(`serving on ${server.address().port}`)
}
