// A listener that throws at once; the process catches it and answers.
import http from 'node:http'

let calls = 0
let answer
process.on('uncaughtException', error => answer(error.message))
const server = http.createServer((_req, res) => {
  calls++
  answer = text => res.end(text)
  throw new Error(`caught ${calls}`)
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
