// A service that has everything loaded which a preload looks at, and tells what its start has cost: it serves one request
// over each of node:http and fetch, then reports. Knows nothing of Laneway or OpenTelemetry.
import http from 'node:http'
import 'node:http2'
import type { AddressInfo } from 'node:net'

const server = http.createServer((request, response) => response.end(String(request.headers['x-mse-tag'])))
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const answer = await (await fetch(url, { headers: { 'x-mse-tag': 'gray' } })).text()
  await new Promise(resolve => http.get(url, response => response.resume().on('end', resolve)))
  const ms = performance.now()
  const { user, system } = process.cpuUsage()
  globalThis.gc!()
  globalThis.gc!()
  process.send!({ ms, cpu: (user + system) / 1000, rss: process.memoryUsage.rss() / 2 ** 20, answer })
  process.disconnect()
  process.exit()
})
