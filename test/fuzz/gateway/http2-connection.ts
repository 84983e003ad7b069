import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from './random.js'
import { type Behaviour, bodyOf } from './upstream.js'

const PATIENCE_MS = 30_000

/** What a stream asks for, and what may come of it. */
interface Ask {
  readonly what: string
  readonly headers: OutgoingHttpHeaders
  readonly body: string | undefined
  /** @returns what is wrong. @param status - `undefined`: the stream was reset */
  readonly wrong: (status: number | undefined, headers: OutgoingHttpHeaders, body: string) => string | undefined
  /** Reset by the client after so long; `undefined` for not at all. */
  readonly resetAfterMs: number | undefined
}

/**
 * Plays one session of HTTP/2 by Node's own client, whose framing is not in question: streams at once, resets, windows
 * that stay shut, CONNECT, and a client that leaves at any moment.
 *
 * @param socket - connected, and past the handshake of TLS
 * @param reset - ends the connection by a reset of TCP
 */
export async function playHttp2(
  socket: Socket,
  reset: () => void,
  random: Random,
  connection: number,
): Promise<{ text: string; wrong: string | undefined }> {
  const shut = random.chance(0.1)
  const asks = Array.from({ length: random.chance(0.1) ? random.int(15, 40) : random.int(1, 6) }, (_, index) =>
    makeAsk(random, `${connection}-${index}`),
  )
  const leave = random.weighted([
    [6, 'after'],
    [1, 'close'],
    [1, 'destroy'],
    [1, 'socket'],
  ] as const)
  const text = `${shut ? 'window shut, ' : ''}leaves: ${leave}\n${asks.map(({ what }, index) => `  ${index} ${what}`).join('\n')}`
  const session = connect('http://a.example', {
    createConnection: () => socket,
    ...(shut && { settings: { initialWindowSize: 0 } }),
  })
  session.on('error', () => {})
  session.on('goaway', () => {})
  const wrong: string[] = []
  const pauses = asks.map(() => (random.chance(0.2) ? random.int(0, 5) : 0))
  const streams: Promise<void>[] = []
  const unanswered = new Set<number>()
  for (const [index, ask] of asks.entries()) {
    if (pauses[index]! > 0) await sleep(pauses[index])
    if (session.destroyed || session.closed) break
    unanswered.add(index)
    streams.push(
      run(session, ask, shut || leave !== 'after').then(why => {
        unanswered.delete(index)
        if (why !== undefined) wrong.push(`stream ${index} (${ask.what}): ${why}`)
      }),
    )
  }
  if (leave === 'after' && !shut) await patience(Promise.all(streams), unanswered, wrong)
  else await sleep(random.int(0, 30))
  if (leave === 'close') session.close()
  if (leave === 'socket') reset()
  // Not every stream of a session that closes ends: the window may be shut.
  if (leave === 'close') await sleep(20)
  session.destroy()
  return { text, wrong: wrong[0] }
}

async function patience(streams: Promise<unknown>, unanswered: ReadonlySet<number>, wrong: string[]): Promise<void> {
  const late = new AbortController()
  const timer = sleep(PATIENCE_MS, undefined, { signal: late.signal }).then(
    () => wrong.push(`no answer within ${PATIENCE_MS / 1000} s to stream ${[...unanswered].join(', ')}`),
    () => {},
  )
  await Promise.race([streams, timer])
  late.abort()
}

function run(session: ClientHttp2Session, ask: Ask, mayLeave: boolean): Promise<string | undefined> {
  return new Promise(resolve => {
    let stream: ClientHttp2Stream
    try {
      stream = session.request(ask.headers, { endStream: ask.body === undefined })
    } catch {
      // The session ended a moment before.
      resolve(undefined)
      return
    }
    let status: number | undefined
    let headers: OutgoingHttpHeaders = {}
    let body = ''
    stream.setEncoding('latin1')
    stream.on('response', received => {
      status = received[':status']
      headers = received as OutgoingHttpHeaders
    })
    stream.on('data', chunk => {
      body += chunk
    })
    stream.on('error', () => {})
    if (ask.resetAfterMs !== undefined) {
      setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), ask.resetAfterMs)
    }
    const over = () => {
      if (mayLeave || ask.resetAfterMs !== undefined) resolve(undefined)
      else resolve(ask.wrong(stream.rstCode === 0 ? status : undefined, headers, body))
    }
    stream.on('close', over)
    // Node's client keeps its own side of a CONNECT open at times, and then never tells of the close.
    if (ask.headers[':method'] === 'CONNECT') stream.on('end', over)
    if (ask.body !== undefined) stream.end(ask.body)
  })
}

function makeAsk(random: Random, id: string): Ask {
  const make = random.weighted<() => Ask>([
    [8, () => plain(random, id, 'echo', random.int(0, 50))],
    [3, () => plain(random, id, 'chunks', random.int(0, 100))],
    [3, () => plain(random, id, 'slow', random.int(1, 30))],
    [1, () => plain(random, id, 'big', random.int(1, 150))],
    [1, () => plain(random, id, 'events', random.int(1, 20))],
    [2, () => plain(random, id, 'unchanged', 0)],
    [2, () => plain(random, id, 'twice', 0)],
    [3, () => plain(random, id, 'echo', 0, 'b'.repeat(random.int(0, 40_000)))],
    [
      1,
      () => ({ ...plain(random, id, 'reset', 0), wrong: status => (status === 502 ? undefined : `status ${status}`) }),
    ],
    [
      1,
      () => ({
        ...plain(random, id, 'break', random.int(0, 3)),
        wrong: status => (status === undefined || status === 502 ? undefined : `whole, with status ${status}`),
      }),
    ],
    [2, () => connectAsk(random)],
  ])
  const ask = make()
  return random.chance(0.1) ? { ...ask, what: `${ask.what}, reset`, resetAfterMs: random.int(0, 15) } : ask
}

function plain(random: Random, id: string, behaviour: Behaviour, number: number, body?: string): Ask {
  const headers: OutgoingHttpHeaders = {
    ':method': body === undefined ? 'GET' : 'POST',
    ':path': `/${behaviour}/${id}/${number}`,
    ':authority': 'a.example',
    'x-id': id,
    ...(body !== undefined && random.chance(0.5) && { 'content-length': body.length }),
    ...(random.chance(0.2) && { 'user-agent': 'xiaoming' }),
  }
  return {
    what: `${behaviour} ${number}${body === undefined ? '' : `, ${body.length} bytes`}`,
    headers,
    body,
    resetAfterMs: undefined,
    wrong(status, received, text) {
      const wanted = behaviour === 'unchanged' ? 304 : 200
      if (status !== wanted) return `${status === undefined ? 'reset' : `status ${status}`} instead of ${wanted}`
      if (received['x-id'] !== id) return `the answer of ${received['x-id']}`
      if (behaviour === 'unchanged') return text === '' ? undefined : 'a body'
      const fill = behaviour === 'big' ? number * 1000 : behaviour === 'echo' || behaviour === 'chunks' ? number : 0
      return text === bodyOf(id, body?.length ?? 0, fill) ? undefined : `body ${JSON.stringify(text.slice(0, 80))}`
    },
  }
}

/** There is no tunnel: an answer that says so would be believed. */
function connectAsk(random: Random): Ask {
  const body = random.chance(0.5) ? undefined : 'tunnelled'
  return {
    what: 'CONNECT',
    headers: { ':method': 'CONNECT', ':authority': random.pick(['a.example:443', '127.0.0.1:22']) },
    body: body ?? '',
    resetAfterMs: undefined,
    wrong: status => (status === undefined || status >= 400 ? undefined : `CONNECT is answered with ${status}`),
  }
}
