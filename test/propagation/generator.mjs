// Sends the requests of a cell to the front service: 64 in flight, one in three untagged, a third each in two lanes.
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { LANES } from './backend.mjs'

const IN_FLIGHT = 64
const BODY = 'x'.repeat(20_000)

/** @returns for each request `{ id, expected, away, status, text }` */
export async function generate(front, count, condition, next) {
  const requests = Array.from({ length: count }, () => {
    const number = next()
    // A tag of its own in front of the lane: what another request of the same lane sent is wrong, too.
    const expected = number % 3 === 0 ? '' : `r${number},${LANES[number % 3 === 1 ? 0 : 1]}`
    return { id: String(number), expected, away: condition.away !== undefined && Math.random() < condition.away }
  })
  if (front.http2) return overHttp2(front.port, requests, condition)
  if (condition.pipelined) return overPipelines(front.port, requests)
  return overHttp(front.port, requests, condition)
}

const headersOf = ({ id, expected, away }) => ({
  'x-id': id,
  'x-expected': expected,
  ...(away ? { 'x-away': '1' } : {}),
  ...(expected === '' ? {} : { 'x-mse-tag': expected }),
})

async function each(requests, one) {
  const results = []
  let index = 0
  const worker = async () => {
    while (index < requests.length) {
      const request = requests[index++]
      results.push({ ...request, ...(await one(request)) })
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  return results
}

async function overHttp(port, requests, condition) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT, scheduling: 'fifo' })
  const results = await each(
    requests,
    request =>
      new Promise(resolve => {
        const req = http.request(
          {
            port,
            host: '127.0.0.1',
            path: '/run',
            method: condition.post ? 'POST' : 'GET',
            headers: headersOf(request),
            agent,
          },
          res => {
            let text = ''
            res.setEncoding('utf8')
            res.on('data', chunk => (text += chunk))
            res.on('end', () => resolve({ status: res.statusCode, text }))
          },
        )
        req.on('error', error => resolve({ status: 0, text: String(error) }))
        if (!condition.post) return req.end()
        req.write(BODY)
        setImmediate(() => req.end(BODY))
      }),
  )
  agent.destroy()
  return results
}

async function overHttp2(port, requests, condition) {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const results = await each(
    requests,
    request =>
      new Promise(resolve => {
        const stream = session.request({
          ':path': '/run',
          ':method': condition.post ? 'POST' : 'GET',
          ...headersOf(request),
        })
        let status = 0
        let text = ''
        stream.setEncoding('utf8')
        stream.on('response', headers => (status = headers[':status']))
        stream.on('data', chunk => (text += chunk))
        stream.on('end', () => resolve({ status, text }))
        stream.on('error', error => resolve({ status: 0, text: String(error) }))
        if (!condition.post) return stream.end()
        stream.write(BODY)
        setImmediate(() => stream.end(BODY))
      }),
  )
  session.close()
  return results
}

/** Sixteen connections, four requests at a time on each without waiting for answers. */
async function overPipelines(port, requests) {
  const batches = []
  for (let index = 0; index < requests.length; index += 4) batches.push(requests.slice(index, index + 4))
  const results = []
  const connection = async () => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      const answers = readAnswers(socket, batch.length)
      socket.write(
        batch
          .map(request => {
            const lines = Object.entries(headersOf(request)).map(([name, value]) => `${name}: ${value}\r\n`)
            return `GET /run HTTP/1.1\r\nHost: front\r\n${lines.join('')}\r\n`
          })
          .join(''),
      )
      const texts = await answers
      for (const [index, request] of batch.entries()) results.push({ ...request, ...texts[index] })
    }
    socket.end()
  }
  await Promise.all(Array.from({ length: IN_FLIGHT / 4 }, connection))
  return results
}

function readAnswers(socket, count) {
  return new Promise(resolve => {
    const answers = []
    let buffer = ''
    const finish = () => {
      socket.off('data', onData)
      socket.off('close', onClose)
      while (answers.length < count) answers.push({ status: 0, text: 'connection closed' })
      resolve(answers)
    }
    const onClose = () => finish()
    const onData = chunk => {
      buffer += chunk.toString('latin1')
      for (;;) {
        const end = buffer.indexOf('\r\n\r\n')
        if (end === -1) return
        const head = buffer.slice(0, end)
        const length = /content-length: (\d+)/i.exec(head)
        let text
        let after
        if (length !== null) {
          after = end + 4 + Number(length[1])
          if (buffer.length < after) return
          text = buffer.slice(end + 4, after)
        } else {
          // Chunked: these answers are one chunk.
          const close = buffer.indexOf('\r\n0\r\n\r\n', end)
          if (close === -1) return
          text = buffer.slice(buffer.indexOf('\r\n', end + 4) + 2, close)
          after = close + 7
        }
        answers.push({ status: Number(head.slice(9, 12)), text })
        buffer = buffer.slice(after)
        if (answers.length === count) return finish()
      }
    }
    socket.on('data', onData)
    socket.on('close', onClose)
  })
}
