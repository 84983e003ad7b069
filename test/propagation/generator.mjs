// Sends the requests of a cell to the front service: 64 in flight, one in three untagged, a third each in two lanes.
import http2 from 'node:http2'
import net from 'node:net'
import { LANES } from './backend.mjs'

const IN_FLIGHT = 64
const BODY = 'x'.repeat(20_000)
const GET = 'GET /run HTTP/1.1\r\nHost: front\r\n'
const POST = `POST /run HTTP/1.1\r\nHost: front\r\nContent-Length: ${2 * BODY.length}\r\n`
const CONTENT_LENGTH = /^content-length: (\d+)/im

/** @returns for each request `{ id, expected, away, status, text }` */
export async function generate(front, count, condition, next) {
  const requests = Array.from({ length: count }, () => {
    const number = next()
    // A tag of its own in front of the lane: what another request of the same lane sent is wrong, too.
    const expected = number % 3 === 0 ? '' : `r${number},${LANES[number % 3 === 1 ? 0 : 1]}`
    return { id: String(number), expected, away: condition.away !== undefined && Math.random() < condition.away }
  })
  if (front.http2) return overHttp2(front, requests, condition)
  return overHttp(front.port, requests, condition.pipelined ? 4 : 1, condition.post)
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

/** A message of gRPC: not compressed, its length, its bytes. */
function frame(body) {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

async function overHttp2({ port, grpc }, requests, condition) {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const body = grpc ? frame(BODY) : BODY
  const results = await each(
    requests,
    request =>
      new Promise(resolve => {
        const stream = session.request({
          ':path': '/run',
          ':method': grpc || condition.post ? 'POST' : 'GET',
          ...(grpc && { 'content-type': 'application/grpc', te: 'trailers' }),
          ...(grpc && condition.post && { 'x-raw': '1' }),
          ...headersOf(request),
        })
        let status = 0
        let text = ''
        stream.setEncoding('utf8')
        stream.on('response', headers => (status = headers[':status']))
        stream.on('data', chunk => (text += chunk))
        let failed = ''
        stream.on('trailers', trailers => {
          if (trailers['grpc-status'] !== '0') failed = `status ${trailers['grpc-status']}: ${trailers['grpc-message']}`
        })
        // The five bytes before a message are text, too.
        stream.on('end', () => resolve({ status, text: failed || (grpc ? text.slice(5) : text) }))
        stream.on('error', error => resolve({ status: 0, text: String(error) }))
        if (!condition.post) return grpc ? stream.end(frame('')) : stream.end()
        stream.write(body)
        setImmediate(() => stream.end(body))
      }),
  )
  session.close()
  return results
}

/** Connections of our own, each with `depth` requests at a time without waiting for answers. */
async function overHttp(port, requests, depth, post) {
  const results = []
  const queue = [...requests].reverse()
  const connection = () =>
    new Promise(resolve => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
      let asked = []
      let buffer = ''
      const ask = () => {
        asked = queue.splice(-depth).reverse()
        if (asked.length === 0) return socket.end()
        socket.write(asked.map(request => (post ? POST : GET) + linesOf(request)).join(''))
        if (!post) return
        socket.write(BODY)
        setImmediate(() => socket.write(BODY))
      }
      const onData = chunk => {
        buffer += chunk.latin1Slice()
        for (let answer = readAnswer(buffer); answer !== undefined; answer = readAnswer(buffer)) {
          buffer = buffer.slice(answer.end)
          results.push({ ...asked.shift(), status: answer.status, text: answer.text })
          if (asked.length === 0) ask()
        }
      }
      socket.on('connect', ask)
      socket.on('data', onData)
      socket.on('error', () => {})
      socket.on('close', () => {
        for (const request of asked) results.push({ ...request, status: 0, text: 'connection closed' })
        resolve()
      })
    })
  const worker = async () => {
    do await connection()
    while (queue.length > 0)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT / depth }, worker))
  return results
}

function linesOf({ id, expected, away }) {
  return `X-Id: ${id}\r\nX-Expected: ${expected}\r\n${away ? 'X-Away: 1\r\n' : ''}${expected === '' ? '' : `X-Mse-Tag: ${expected}\r\n`}\r\n`
}

/** The first answer of a text, `undefined` when more has to come. */
function readAnswer(buffer) {
  const end = buffer.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const status = Number(buffer.slice(9, 12))
  const length = CONTENT_LENGTH.exec(buffer.slice(0, end))
  if (length !== null) {
    const after = end + 4 + Number(length[1])
    return buffer.length < after ? undefined : { status, text: buffer.slice(end + 4, after), end: after }
  }
  // Chunked: these answers are one chunk.
  const close = buffer.indexOf('\r\n0\r\n\r\n', end)
  if (close === -1) return undefined
  return { status, text: buffer.slice(buffer.indexOf('\r\n', end + 4) + 2, close), end: close + 7 }
}
