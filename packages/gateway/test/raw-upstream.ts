// An upstream that answers with any bytes, and a client of HTTP/2 that tells all it got.
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { createServer, type Socket } from 'node:net'
import { listen } from '@laneway/testkit'
import type { Test } from 'tap'

/** An upstream that answers each request with these bytes, and then closes the connection or keeps it. */
export async function rawUpstream(t: Test) {
  const at: { bytes: Buffer; keep: boolean } = { bytes: Buffer.alloc(0), keep: false }
  const port = await listen(
    t,
    createServer((socket: Socket) => {
      socket.on('error', () => {})
      socket.on('data', () => {
        socket.write(at.bytes)
        if (!at.keep) socket.end()
      })
    }) as never,
  )
  return { at, port }
}

/** What a stream got. */
export interface Got {
  readonly headers: Readonly<Record<string, unknown>> | undefined
  readonly body: string
  readonly trailers: IncomingHttpHeaders
  readonly code: number
}

/** One request on a session. Never rejects. */
export function ask(session: ClientHttp2Session, method: string, fields: OutgoingHttpHeaders = {}): Promise<Got> {
  return new Promise(resolve => {
    const stream = session.request({ ...fields, ':path': '/', ':method': method })
    let headers: Got['headers']
    let body = ''
    let trailers: IncomingHttpHeaders = {}
    stream.setEncoding('utf8')
    stream.on('response', head => {
      headers = head
    })
    stream.on('trailers', lines => {
      trailers = lines
    })
    stream.on('data', chunk => {
      body += chunk
    })
    stream.on('error', () => {})
    stream.on('close', () => resolve({ headers, body, trailers, code: stream.rstCode }))
  })
}
