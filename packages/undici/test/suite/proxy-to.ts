import { createServer, get } from 'node:http'
import { connect } from 'node:net'
import { listen } from '@laneway/testkit'
import type { Teardown } from '@laneway/testkit/egress'

/** A proxy that leads every name to one port, tunnelled or not, and remembers what it was asked. */
export async function proxyTo(t: Teardown, port: number) {
  const asked: string[] = []
  const tags: unknown[] = []
  // undici 8 asks for plain http in absolute form, the others tunnel.
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (request.headers.host === 'third.example') tags.push(request.headers['x-mse-tag'])
    const { method, headers } = request
    get({ port, host: '127.0.0.1', path: new URL(request.url!).pathname, method, headers }, answer => {
      answer.pipe(response)
    })
  })
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`)
    tags.push(request.headers['x-mse-tag'])
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const end of [onward, socket]) {
      end.on('error', () => {})
      t.teardown(() => end.destroy())
    }
  })
  const proxyPort = await listen(t, server)
  return { uri: `http://127.0.0.1:${proxyPort}`, asked, tags }
}
