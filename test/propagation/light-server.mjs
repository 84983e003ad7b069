// An HTTP/1.1 server for what the front service calls. It costs a fifth of `node:http`, so that the run spends its time in
// what is tested, and it is stricter: what is malformed, or has a head of two Hosts, is answered with 400.
import net from 'node:net'

const REQUEST_LINE = /^[A-Z]+ (\S+) HTTP\/1\.1$/
const NAME = /^[!#$%&'*+.^`|~\w-]+$/

/**
 * `answer(request, respond)` gets `{ path, headers, tags }`, where `headers` is a Map of lowered names and `tags` holds each
 * `x-mse-tag` line as it came, and calls `respond(text, hangUp)` with a whole response once. Pipelined requests are
 * answered in order.
 */
export function createLightServer(answer) {
  const sockets = new Set()
  const server = net.createServer({ noDelay: true }, socket => {
    sockets.add(socket)
    const connection = new Connection(socket, answer)
    socket.on('data', chunk => connection.read(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  server.closeAllConnections = () => {
    for (const socket of sockets) socket.destroy()
  }
  return server
}

class Connection {
  #socket
  #answer
  #buffer = ''
  #waiting = []
  #upgraded = false

  constructor(socket, answer) {
    this.#socket = socket
    this.#answer = answer
  }

  read(chunk) {
    // The frames of a WebSocket client say nothing that matters here.
    if (this.#upgraded) return
    this.#buffer += chunk.latin1Slice()
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n')
      if (end === -1) return
      const request = parseHead(this.#buffer, end)
      const after = request === undefined ? -1 : endOfBody(this.#buffer, end + 4, request.headers)
      if (after === undefined) return
      if (after === -1) {
        this.#socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      this.#buffer = this.#buffer.slice(after)
      this.#upgraded = request.headers.has('upgrade')
      this.#serve(request)
      if (this.#upgraded) return
    }
  }

  #serve(request) {
    const entry = { text: undefined, hangUp: request.headers.get('connection') === 'close' }
    this.#waiting.push(entry)
    this.#answer(request, (text, hangUp = false) => {
      entry.text = text
      entry.hangUp ||= hangUp
      this.#flush()
    })
  }

  #flush() {
    while (this.#waiting[0]?.text !== undefined) {
      const { text, hangUp } = this.#waiting.shift()
      if (this.#socket.destroyed) return
      if (hangUp) this.#socket.end(text, 'latin1')
      else this.#socket.write(text, 'latin1')
    }
  }
}

function parseHead(buffer, end) {
  let from = buffer.indexOf('\r\n')
  const line = REQUEST_LINE.exec(buffer.slice(0, from))
  if (line === null) return undefined
  const headers = new Map()
  const tags = []
  while (from < end) {
    const start = from + 2
    from = buffer.indexOf('\r\n', start)
    const colon = buffer.indexOf(':', start)
    if (colon === -1 || colon > from) return undefined
    const name = buffer.slice(start, colon).toLowerCase()
    if (!NAME.test(name) || (name === 'host' && headers.has(name))) return undefined
    const value = buffer.slice(colon + 1, from).trim()
    if (name === 'x-mse-tag') tags.push(value)
    headers.set(name, value)
  }
  return headers.has('host') ? { path: line[1], headers, tags } : undefined
}

/** Where the next request begins; `undefined` when more has to come, -1 when it is none. */
function endOfBody(buffer, start, headers) {
  const length = headers.get('content-length')
  if (length !== undefined) return buffer.length < start + Number(length) ? undefined : start + Number(length)
  if (!headers.has('transfer-encoding')) return start
  for (let at = start; ; ) {
    const line = buffer.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(buffer.slice(at, line), 16)
    if (!(size >= 0)) return -1
    at = line + 2 + size + 2
    if (buffer.length < at) return undefined
    if (size === 0) return at
  }
}
