import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { playHttp1 } from './http1-connection.js'
import { makeScript } from './http1-script.js'
import { playHttp2 } from './http2-connection.js'
import { randomFrames } from './http2-frames.js'
import { Random } from './random.js'
import type { RunningGateway } from './running-gateway.js'

/** What is spoken to which listener. */
export type Protocol = 'http' | 'https' | 'h2c' | 'h2'

export const PROTOCOLS: readonly Protocol[] = ['http', 'https', 'h2c', 'h2']

/** What one connection was, and what was wrong with it. */
export interface Played {
  readonly text: string
  readonly wrong: string | undefined
}

/** Plays one connection; the seed and the number decide all that it does. */
export async function playConnection(
  gateway: RunningGateway,
  protocol: Protocol,
  seed: number,
  connection: number,
): Promise<Played> {
  const random = Random.of(seed, connection)
  const isHttp2 = protocol === 'h2c' || protocol === 'h2'
  const isTls = protocol === 'https' || protocol === 'h2'
  const port = protocol === 'http' ? gateway.http : protocol === 'h2c' ? gateway.h2c : gateway.https
  if (isTls && random.chance(0.05)) return playHandshake(port, random)
  if (!isHttp2) {
    const opened = await open(port, isTls ? 'http/1.1' : undefined)
    if (opened === undefined)
      return { text: 'no connection', wrong: gateway.ended === undefined ? 'no connection' : undefined }
    const script = makeScript(random, connection)
    return { text: script.text, wrong: await playHttp1(opened.socket, () => opened.tcp.resetAndDestroy(), script) }
  }
  if (random.chance(0.35)) return playFrames(port, isTls, random, connection)
  const opened = await open(port, isTls ? 'h2' : undefined)
  if (opened === undefined)
    return { text: 'no connection', wrong: gateway.ended === undefined ? 'no connection' : undefined }
  return playHttp2(opened.socket, () => opened.tcp.resetAndDestroy(), random, connection)
}

/** Frames that are nearly right; the answers are not looked at. */
async function playFrames(port: number, isTls: boolean, random: Random, connection: number): Promise<Played> {
  const bytes = random.chance(0.1) ? Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n') : randomFrames(random, connection)
  const text = `${bytes.length} bytes of frames`
  const opened = await open(port, isTls ? 'h2' : undefined)
  if (opened === undefined) return { text, wrong: undefined }
  const { socket, tcp } = opened
  socket.resume()
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const end = random.chance(0.5) ? bytes.length : at + random.int(1, bytes.length)
    socket.write(bytes.subarray(at, end))
    at = end
    if (random.chance(0.3)) await sleep(random.int(0, 5))
  }
  await sleep(random.int(0, 30))
  if (random.chance(0.3)) tcp.resetAndDestroy()
  else socket.destroy()
  return { text, wrong: undefined }
}

/** A client of TLS that is silent, speaks something else, or leaves inside the handshake. */
async function playHandshake(port: number, random: Random): Promise<Played> {
  const hello = Buffer.from('160301004a010000460303', 'hex')
  const bytes = random.pick([Buffer.alloc(0), Buffer.from('GET / HTTP/1.1\r\n\r\n'), hello, random.bytes(60)])
  const opened = await open(port, undefined)
  if (opened !== undefined) {
    const { socket } = opened
    socket.resume()
    if (bytes.length > 0) socket.write(bytes)
    await sleep(random.int(0, 60))
    if (random.chance(0.5)) socket.resetAndDestroy()
    else socket.destroy()
  }
  return { text: `a handshake of ${bytes.length} bytes`, wrong: undefined }
}

/** A connection, as it is and as TCP sees it. */
interface Opened {
  readonly socket: Socket
  readonly tcp: Socket
}

async function open(port: number, alpn: 'h2' | 'http/1.1' | undefined): Promise<Opened | undefined> {
  // Half-open, as clients that end their side and read on.
  const tcp = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
  tcp.on('error', () => {})
  const socket =
    alpn === undefined ? tcp : connectTls({ socket: tcp, ALPNProtocols: [alpn], rejectUnauthorized: false })
  socket.on('error', () => {})
  try {
    await once(socket, alpn === undefined ? 'connect' : 'secureConnect')
    return { socket, tcp }
  } catch {
    tcp.destroy()
    return undefined
  }
}
