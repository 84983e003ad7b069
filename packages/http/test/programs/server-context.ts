import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { currentLane, parseLane, runInLane } from '@laneway/core'
import { laneHandler, laneServer } from '@laneway/http'

/**
 * Sends tagged and untagged requests over shared sockets and reports every place in a raw handler where the lane was not
 * that of the request. `bare` is the control: the handler runs in the lane, the listeners are left to Node.
 */
type Kind = 'laneHandler' | 'laneServer' | 'bare'

interface Report {
  places: number
  wrong: Record<string, number>
}

const ROUNDS = Number(process.env['ROUNDS'] ?? 30)
const TAGS = ['gray', 'blue', undefined, 'gray', undefined, 'gray-2,gray'] as const

function bare(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  return (request: IncomingMessage, response: ServerResponse) => {
    runInLane(parseLane(request.headers['x-mse-tag']), handler, request, response)
  }
}

async function serve(kind: Kind, report: Report): Promise<{ port: number; close(): void; settled(): Promise<void> }> {
  let open = 0
  const look = (request: IncomingMessage, place: string) => {
    report.places++
    const expected = request.headers['x-expect'] === 'none' ? undefined : request.headers['x-expect']
    if (currentLane()?.header !== expected) report.wrong[place] = (report.wrong[place] ?? 0) + 1
  }
  async function handler(request: IncomingMessage, response: ServerResponse) {
    open++
    const at = (place: string) => () => look(request, place)
    at('handler')()
    request.once('data', at('req data'))
    request.on('end', at('req end'))
    request.on('close', at('req close'))
    response.on('finish', at('res finish'))
    response.on('close', () => {
      at('res close')()
      open--
    })
    response.once('drain', at('res drain'))
    const ended = once(request, 'end')
    request.resume()
    await ended
    at('after await')()
    setImmediate(at('immediate'))
    await delay(Math.random() * 3)
    at('after timer')()
    response.write('x'.repeat(100_000))
    response.end('end')
  }
  const server =
    kind === 'laneHandler'
      ? http.createServer(laneHandler(handler))
      : kind === 'laneServer'
        ? laneServer(http.createServer(handler))
        : http.createServer(bare(handler))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
    async settled() {
      while (open > 0) await delay(1)
    },
  }
}

function bytes(tag: string | undefined, length: number): string {
  const line = tag === undefined ? '' : `x-mse-tag: ${tag}\r\n`
  const expect = `x-expect: ${tag?.replaceAll(' ', '') ?? 'none'}\r\n`
  return `POST / HTTP/1.1\r\nHost: a\r\n${line}${expect}Content-Length: ${length}\r\n\r\n`
}

/** Resolves when as many whole responses as asked for have come. */
function responses(socket: ReturnType<typeof connect>, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      // Chunked: each ends with the empty chunk.
      if (text.split('\r\n0\r\n\r\n').length - 1 < count) return
      socket.off('data', onData)
      socket.off('error', reject)
      resolve()
    }
    socket.on('data', onData)
    socket.on('error', reject)
  })
}

async function keepAlive(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  for (let round = 0; round < ROUNDS; round++) {
    const tag = TAGS[round % TAGS.length]
    const done = responses(socket, 1)
    const half = 'b'.repeat(100_000)
    socket.write(bytes(tag, 200_000) + half)
    await delay(1)
    socket.write(half)
    await done
  }
  socket.destroy()
}

async function pipelined(port: number): Promise<void> {
  for (let round = 0; round < ROUNDS / 3; round++) {
    const socket = connect(port, '127.0.0.1')
    const tags = TAGS.map((_, index) => TAGS[(index + round) % TAGS.length])
    const done = responses(socket, tags.length)
    // Written in one piece, and in pieces that end inside a body.
    const all = tags.map(tag => bytes(tag, 20_000) + 'b'.repeat(20_000)).join('')
    if (round % 2 === 0) socket.write(all)
    else {
      for (let at = 0; at < all.length; at += 15_000) {
        socket.write(all.slice(at, at + 15_000))
        await delay(0)
      }
    }
    await done
    socket.destroy()
  }
}

const result: Record<string, Report> = {}
for (const kind of ['laneHandler', 'laneServer', 'bare'] as const) {
  for (const [name, run] of Object.entries({ keepAlive, pipelined })) {
    const report: Report = { places: 0, wrong: {} }
    const server = await serve(kind, report)
    await Promise.all([run(server.port), run(server.port), run(server.port)])
    await server.settled()
    server.close()
    result[`${kind} ${name}`] = report
  }
}
console.log(JSON.stringify(result))
