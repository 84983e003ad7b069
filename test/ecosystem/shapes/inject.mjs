// Requests that reach an app without a socket of HTTP: A sends them as a line of JSON, so that no server enters the lane before.
import net from 'node:net'
import { createInterface } from 'node:readline'

/** `build(kit)` returns `{ inject, close }`; `inject({ method, path, headers, body })` resolves with `{ status, headers, body }`. */
export function injectRow({ build, ...row }) {
  return {
    ...row,
    drive: ({ port, method, path, headers, body }) =>
      new Promise(resolve => {
        const failed = error => resolve({ status: 0, headers: [], body: String(error) })
        const socket = net.connect(port, '127.0.0.1', () => {
          socket.write(`${JSON.stringify({ method, path, headers: { host: 'sc-b', ...headers }, body })}\n`)
        })
        socket.on('error', failed)
        socket.on('close', () => failed('closed'))
        // The reader tells errors of its socket once more.
        const lines = createInterface(socket).on('error', failed)
        lines.on('line', line => {
          socket.end()
          resolve(JSON.parse(line))
        })
      }),
    async service(kit) {
      const { inject, close } = await build(kit)
      const server = net.createServer(socket => {
        socket.on('error', () => {})
        const lines = createInterface(socket).on('error', () => {})
        lines.on('line', async line => {
          const answer = await inject(JSON.parse(line)).catch(error => ({ status: 0, headers: [], body: error.stack }))
          socket.end(`${JSON.stringify(answer)}\n`)
        })
      })
      await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
      return {
        port: server.address().port,
        close: async () => {
          await new Promise(resolve => server.close(resolve))
          await close?.()
        },
      }
    },
  }
}

/** Headers of an answer as the run wants them, without what differs each time. */
export const flat = headers =>
  Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap(one => [name, `${one}`]))
