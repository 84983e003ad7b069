// Answers each message with the lane that its listener, and the callback of the answer before, ran in.
import { createServer } from 'node:http'
import { currentLane } from '@laneway/core'
import { WebSocketServer } from 'ws'

const lane = () => currentLane()?.header ?? 'none'
const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 0, concurrencyLimit: 1 } })
sockets.on('connection', socket => {
  let sent = 'nothing'
  socket.on('message', message => {
    socket.send(`${message}: ${lane()}, sent ${sent}`, () => {
      sent = lane()
    })
  })
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
