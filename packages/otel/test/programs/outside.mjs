// The world outside the services: sends requests and reads answers, unseen by OpenTelemetry.
import http from 'node:http'

export function listen(server) {
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

export function send(port, headers, path = '/') {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent, headers: { ...headers, 'x-outside': '1' } }
    const req = http.get(options, res => {
      let text = ''
      res.setEncoding('utf8')
      res.on('data', chunk => {
        text += chunk
      })
      res.on('end', () => resolve({ status: res.statusCode, text }))
    })
    req.on('error', reject)
  })
}

/** Runs `one` for 0 .. count - 1, so many at a time. */
export async function each(count, inFlight, one) {
  let next = 0
  const worker = async () => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}

/** The lines of a header as they stood on the wire. */
export function lines(req, name) {
  const found = []
  for (let index = 0; index < req.rawHeaders.length; index += 2) {
    if (req.rawHeaders[index].toLowerCase() === name) found.push(req.rawHeaders[index + 1])
  }
  return found
}

/** A short wait of another length each time, so that requests overtake each other. */
export const jitter = () => new Promise(resolve => setTimeout(resolve, Math.random() * 3))
