// A dispatcher shaped as those of undici 5: without `compose`.
import { EventEmitter } from 'node:events'
import http from 'node:http'

class Dispatcher extends EventEmitter {}
class DispatcherBase extends Dispatcher {
  get destroyed() {
    return false
  }
  get closed() {
    return false
  }
  dispatch(options) {
    return options.headers
  }
  close() {}
  destroy() {}
}
const { dispatch } = DispatcherBase.prototype
const dispatcher = new DispatcherBase()

const server = http.createServer((_req, res) =>
  res.end(String(dispatcher.dispatch === dispatch && dispatcher.dispatch({ headers: 'own' }) === 'own')),
)
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
