import { createServer } from 'node:http'
import { createAsk } from './ask.mjs'

/** Messages of a WebSocket are in the lane of its upgrade. */
export function webSocketRow({ options, ...row }) {
  return {
    library: 'ws',
    explicit: true,
    ...row,
    async drive({ url, headers }) {
      const { WebSocket } = await import('ws')
      const socket = new WebSocket(url.replace('http', 'ws'), { headers })
      try {
        const answers = await new Promise((resolve, reject) => {
          const seen = []
          const late = setTimeout(reject, 20_000, new Error('no answer in 20 s'))
          socket.on('error', reject)
          socket.on('close', () => reject(new Error('closed')))
          socket.on('open', () => socket.send(`first ${'.'.repeat(4000)}`))
          socket.on('message', message => {
            seen.push(String(message))
            if (seen.length === 2) socket.send(`second ${'.'.repeat(4000)}`)
            if (seen.length < 4) return
            clearTimeout(late)
            resolve(seen)
          })
        })
        return { status: 200, headers: [], body: JSON.stringify(answers) }
      } catch (error) {
        return { status: 0, headers: [], body: String(error) }
      } finally {
        socket.terminate()
      }
    },
    async service(kit) {
      const { WebSocketServer } = kit.require('ws')
      const ask = createAsk(kit)
      const server = createServer()
      const sockets = new WebSocketServer({ server, ...options })
      sockets.on('connection', (socket, { headers }) => {
        // A queue of zlib that all connections share: the packages need the socket to be bound by hand.
        if (options !== undefined) kit.laneway?.bindEmitter(socket)
        socket.on('message', async message => {
          const [form] = String(message).split(' ')
          socket.send(await ask(headers, form))
          socket.send(await ask(headers, `${form}-fetch`, true))
        })
      })
      return {
        server,
        close: () => {
          for (const socket of sockets.clients) socket.terminate()
          sockets.close()
        },
      }
    },
  }
}
