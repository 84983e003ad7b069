// A server whose listeners each call the service: raw body listeners, `finish` and `close`, upgrades, checkContinue.
import http from 'node:http'

const call = async () => (await fetch('http://svc/')).text()
/** What the listeners that run after the answer have got, by the id of the request. */
const after = new Map()

const server = http.createServer((req, res) => {
  if (req.url.startsWith('/after')) {
    Promise.all(after.get(req.url.slice(7)) ?? []).then(texts => res.end(texts.join(' ')))
    return
  }
  const pieces = []
  const id = req.headers['x-id']
  if (id) after.set(id, [])
  for (const event of ['finish', 'close']) res.on(event, () => after.get(id)?.push(call()))
  req.once('data', () => pieces.push(call()))
  req.on('end', async () => {
    pieces.push(call())
    res.end((await Promise.all(pieces)).join(' '))
  })
})
server.on('checkContinue', (req, res) => {
  res.writeContinue()
  req.on('end', async () => res.end(`continued ${await call()}`)).resume()
})
server.on('upgrade', async (_req, socket) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n${await call()}\n`)
  socket.on('data', async () => socket.end(`data ${await call()}\n`))
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
