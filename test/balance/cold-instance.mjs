// An instance of a service for `rolling-restart.ts`. It serves a few requests at a time and lets the others wait, as a
// process of one thread does, without using the processor. While it is new its requests take longer: caches are empty and
// code is not compiled.
import http from 'node:http'

const [tag, slots, serviceMs, coldRequests, coldFactor] = JSON.parse(process.argv[2])
/** When each place is free again, on the clock of this process. */
const free = Array.from({ length: slots }, () => 0)
let served = 0

const server = http.createServer((_, response) => {
  const place = free.indexOf(Math.min(...free))
  const now = performance.now()
  const warmth = Math.min(1, served++ / coldRequests)
  // Computed ahead, so that late timers of a busy machine take nothing from what the instance can serve.
  free[place] = Math.max(now, free[place]) + serviceMs * (coldFactor - (coldFactor - 1) * warmth)
  setTimeout(() => response.end(tag), free[place] - now)
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
