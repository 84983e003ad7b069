// Breaks every second choice of an endpoint: the one that follows a connect error, behind a turn of the event loop.
const { channel } = require('node:diagnostics_channel')

let choices = 0
Object.defineProperty(channel('laneway:decision'), 'hasSubscribers', {
  get() {
    if (++choices % 2 === 0) throw new Error('poisoned')
    return false
  },
})
