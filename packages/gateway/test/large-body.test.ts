import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import http, { createServer } from 'node:http'
import http2 from 'node:http2'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { listen } from '@laneway/testkit'
import t from 'tap'

const GIB = 1 << 30
/** Buffers of the sockets on both sides, and what a collector leaves lying about. */
const MAX_GROWTH = 64 << 20

const chunk = Buffer.alloc(1024 * 1024, 'x')

function* chunks(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk
}

function counter(): Writable & { bytes: number } {
  const sink = Object.assign(
    new Writable({
      write(data: Buffer, _encoding, done) {
        sink.bytes += data.length
        done()
      },
    }),
    { bytes: 0 },
  )
  return sink
}

async function rss(child: ChildProcess): Promise<number> {
  child.send('rss')
  const [message] = (await once(child, 'message')) as [{ rss: number }]
  return message.rss
}

t.test('a body of a GiB streams each way in bounded memory', async t => {
  const upstream = await listen(
    t,
    createServer((request, response) => {
      const bytes = Number(request.headers['x-bytes'] ?? 0)
      if (request.method === 'GET') void pipeline(Readable.from(chunks(bytes)), response)
      else {
        const sink = counter()
        void pipeline(request, sink).then(() => response.end(String(sink.bytes)))
      }
    }),
  )
  const child = fork('packages/gateway/test/programs/gateway.ts', [String(upstream)], {
    execArgv: ['--import', 'tsx', '--conditions=@laneway/source'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  t.teardown(() => child.disconnect())
  const [{ ports }] = (await once(child, 'message')) as [{ ports: number[] }]

  async function up(bytes: number, framing: http.OutgoingHttpHeaders): Promise<number> {
    const request = http.request({ host: '127.0.0.1', port: ports[0], method: 'POST', headers: framing, agent: false })
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
    await pipeline(Readable.from(chunks(bytes)), request)
    const [response] = await answered
    let text = ''
    for await (const part of response) text += part
    return Number(text)
  }
  async function down(bytes: number): Promise<number> {
    const request = http.get({ host: '127.0.0.1', port: ports[0], headers: { 'x-bytes': bytes }, agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    const sink = counter()
    await pipeline(response, sink)
    return sink.bytes
  }
  async function http2Both(bytes: number): Promise<[number, number]> {
    const session = http2.connect(`http://127.0.0.1:${ports[1]}`)
    const get = session.request({ ':path': '/', 'x-bytes': String(bytes) })
    const sink = counter()
    await pipeline(get, sink)
    const post = session.request({ ':path': '/', ':method': 'POST' })
    let text = ''
    post.setEncoding('utf8')
    post.on('data', part => {
      text += part
    })
    await pipeline(Readable.from(chunks(bytes)), post, { end: true })
    if (!post.closed) await once(post, 'close')
    session.close()
    return [sink.bytes, Number(text)]
  }

  await up(32 << 20, {})
  await down(32 << 20)
  await http2Both(16 << 20)
  const before = await rss(child)
  t.equal(await up(GIB, { 'content-length': GIB }), GIB)
  const afterUp = await rss(child)
  t.equal(await down(GIB), GIB)
  const afterDown = await rss(child)
  t.same(await http2Both(64 << 20), [64 << 20, 64 << 20])
  const afterHttp2 = await rss(child)
  t.comment(`growth in MiB: ${[afterUp, afterDown, afterHttp2].map(one => (one - before) >> 20).join(', ')}`)
  t.ok(afterUp - before < MAX_GROWTH, `${(afterUp - before) >> 20} MiB after the upload`)
  t.ok(afterDown - before < MAX_GROWTH, `${(afterDown - before) >> 20} MiB after the download`)
  t.ok(afterHttp2 - before < MAX_GROWTH, `${(afterHttp2 - before) >> 20} MiB after HTTP/2`)
})
