import { createServer } from 'node:http'
import { createAsk } from '../../shapes/ask.mjs'

/** A socket for each request, by polling and by WebSocket. Events of a socket are in the lane of its handshake. */
export default {
  library: 'socket.io',
  use: 'a middleware, connection, events, polling and WebSocket',
  explicit: true,
  async drive({ url, headers, id }) {
    const { io } = await import('socket.io-client')
    const transports = Number(id) % 2 === 0 ? ['websocket'] : ['polling']
    const socket = io(url, { transports, extraHeaders: headers, reconnection: false, forceNew: true })
    try {
      const answers = await new Promise((resolve, reject) => {
        socket.on('connect_error', reject)
        socket.on('welcome', async welcome => {
          const first = await socket.timeout(10_000).emitWithAck('ask', 'first').catch(reject)
          const second = await socket.timeout(10_000).emitWithAck('ask', 'second').catch(reject)
          resolve([welcome, first, second])
        })
      })
      return { status: 200, headers: [], body: JSON.stringify(answers) }
    } catch (error) {
      return { status: 0, headers: [], body: String(error) }
    } finally {
      socket.disconnect()
    }
  },
  async service(kit) {
    const { Server } = kit.require('socket.io')
    const ask = createAsk(kit)
    const server = createServer()
    const io = new Server(server)
    io.use((socket, next) => {
      ask(socket.request.headers, 'middleware').then(() => next(), next)
    })
    io.on('connection', async socket => {
      const { headers } = socket.request
      socket.on('ask', async (form, done) =>
        done([await ask(headers, form), await ask(headers, `${form}-fetch`, true)]),
      )
      socket.emit('welcome', await ask(headers, 'connection'))
    })
    return { server, close: () => io.close() }
  },
}
