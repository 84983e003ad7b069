// Breaks Laneway from inside before the program serves: what reads a lane throws, from the wire and from the context.
const { Server } = require('node:http')

const { listen } = Server.prototype
Server.prototype.listen = function (...args) {
  const slot = globalThis[Symbol.for('laneway.context.v1')]
  const fault = () => {
    throw new Error('poisoned')
  }
  slot.storage = { getStore: fault, run: fault }
  slot.lanes.young.get = fault
  return listen.apply(this, args)
}
