// An instance of a service for `rolling-restart.ts`. It serves a few requests at a time and lets the others wait, as a
// process of one thread does, without using the processor. While it is new its requests take longer: caches are empty and
// code is not compiled.
import http from 'node:http'

const [tag, slots, serviceMs, coldRequests, coldFactor] = JSON.parse(process.argv[2])
const waiting = []
let busy = 0
let served = 0

function serve(response) {
  busy++
  const warmth = Math.min(1, served++ / coldRequests)
  setTimeout(
    () => {
      busy--
      response.end(tag)
      const next = waiting.shift()
      if (next !== undefined) serve(next)
    },
    serviceMs * (coldFactor - (coldFactor - 1) * warmth),
  )
}

const server = http.createServer((_, response) => {
  if (busy < slots) serve(response)
  else waiting.push(response)
})
server.listen(0, '127.0.0.1', () => process.send?.(server.address().port))
process.on('message', message => {
  if (message !== 'drain') return
  server.close(() => process.exit())
  server.closeIdleConnections()
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  idle.unref()
})
process.on('disconnect', () => process.exit())
