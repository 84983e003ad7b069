// Makes emitters that cannot be looked at or changed, then calls a service.
import { EventEmitter } from 'node:events'
import http from 'node:http'
import { Agent, request } from 'undici'

const broken = () => {
  throw new Error('own trap')
}
const attempt = make => {
  try {
    make()
  } catch {
    // As without Laneway.
  }
}

class Trapped extends EventEmitter {
  get dispatch() {
    return broken()
  }
  get closed() {
    return broken()
  }
}
class Frozen extends EventEmitter {
  dispatch() {}
  close() {}
  destroy() {}
  compose() {}
  get destroyed() {
    return false
  }
  get closed() {
    return false
  }
}
Object.freeze(Frozen.prototype)
class FrozenAgent extends Agent {
  dispatch(options, handler) {
    return super.dispatch(options, handler)
  }
}
Object.freeze(FrozenAgent.prototype)
const endless = new Proxy({}, { getPrototypeOf: () => new Proxy({}, endlessTraps) })
const endlessTraps = { getPrototypeOf: () => new Proxy({}, endlessTraps) }

EventEmitter.call(Object.create(null))
new Trapped()
attempt(() => EventEmitter.call(undefined))
attempt(() => EventEmitter.call(new Proxy({}, { getPrototypeOf: broken })))
attempt(() => EventEmitter.call(Object.create(new Proxy({}, { getPrototypeOf: broken }))))
attempt(() => EventEmitter.call(Object.create(new Proxy({}, { getOwnPropertyDescriptor: broken }))))
attempt(() => EventEmitter.call(endless))
new Frozen()
const frozen = new FrozenAgent()

const server = http.createServer(async (_req, res) => {
  const texts = []
  for (const dispatcher of [new Agent(), frozen]) {
    texts.push(await (await request('http://svc/', { dispatcher })).body.text())
  }
  texts.push(await (await fetch('http://svc/')).text())
  // A mistake of the caller.
  await new Agent().request({ origin: {}, path: 1, headers: new Set([1]) }).catch(() => {})
  await fetch('http://[bad').catch(() => {})
  res.end(texts.join(' '))
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
