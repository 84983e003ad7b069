import { createServer } from 'node:http'

const { LANEWAY_SERVICE: name, VERSION: version, NEXT: next, PORT: port = '3000' } = process.env

const server = createServer(async (_req, res) => {
  const rest = next ? ` -> ${await (await fetch(`http://${next}/`)).text()}` : '\n'
  res.end(`${name} ${version}${rest}`)
})
server.listen(Number(port), () => console.log(`listening on ${server.address().port}`))
