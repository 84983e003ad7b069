// Four workers behind one port; each answers with its process id and calls the service.
import cluster from 'node:cluster'
import http from 'node:http'

if (cluster.isPrimary) {
  let ready = 0
  for (let index = 0; index < 4; index++) cluster.fork()
  cluster.on('listening', (_worker, { port }) => {
    if (++ready === 4) console.log(`serving on ${port}`)
  })
  cluster.on('exit', () => console.log('a worker has ended'))
  if (process.env.END) process.on('SIGTERM', () => cluster.disconnect())
} else {
  const server = http.createServer(async (_req, res) => {
    res.setHeader('connection', 'close')
    res.end(`${process.pid} ${await (await fetch('http://svc/')).text()}`)
  })
  server.listen(0, '127.0.0.1')
}
