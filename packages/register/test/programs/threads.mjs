// A server whose worker thread serves a port of its own; both call the service.
import http from 'node:http'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

const server = http.createServer(async (_req, res) => {
  res.end(`${isMainThread ? 'main' : 'thread'} ${await (await fetch('http://svc/')).text()}`)
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  if (!isMainThread) parentPort.postMessage(port)
  else {
    const worker = new Worker(new URL(import.meta.url))
    worker.once('message', inside => console.log(`thread on ${inside}\nserving on ${port}`))
  }
})
