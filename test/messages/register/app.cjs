// A service without a word of Laneway. Asks itself nothing: the test asks it to open its consumer, to send, and what it saw.
//   node app.cjs <client> <library> <url>
const { createServer } = require('node:http')
const clients = require('./clients.cjs')
const { laneHeaderHere } = require('./next-hop.cjs')

exports.serve = async function serve(load, [name, library, url]) {
  const seen = []
  let client
  const handle = async text => {
    await new Promise(resolve => setTimeout(resolve, 1))
    seen.push(`${text}:${await laneHeaderHere()}`)
  }
  const server = createServer(async (request, response) => {
    const [, what, queue, text] = request.url.split('/')
    try {
      client ??= clients[name]({ load, library, url })
      if (what === 'open') await (await client).open(queue, handle)
      if (what === 'send') await (await client).send(queue, text)
      response.end(JSON.stringify(seen))
    } catch (error) {
      response.writeHead(500).end(error.stack)
    }
  })
  server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
}
if (require.main === module) exports.serve(require, process.argv.slice(2))
