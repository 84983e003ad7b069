// Calls through an undici pool with a limit, as a program that knows nothing of lanes.
const { createServer } = require('node:http')
const { Agent, request } = require('undici')

const dispatcher = new Agent({ connections: 2 })
const server = createServer(async (_req, res) => {
  const { body } = await request(process.env.FAR, { dispatcher })
  res.end(await body.text())
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
