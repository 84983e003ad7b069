// An application with a property `lane` of its own on its requests.
import { createServer, IncomingMessage } from 'node:http'

Object.defineProperty(IncomingMessage.prototype, 'lane', {
  configurable: true,
  get() {
    return this.url === '/getter' ? 'of the road' : undefined
  },
  set(value) {
    Object.defineProperty(this, 'lane', { value, configurable: true })
  },
})

const server = createServer((req, res) => {
  const before = Object.hasOwn(req, 'lane')
  req.lane ??= 'bus lane'
  const texts = [before ? 'touched' : 'untouched', req.lane]
  fetch('http://svc/').then(async answer => res.end([...texts, await answer.text()].join()))
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
