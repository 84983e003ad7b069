import { lookup } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { readEventStream, type StreamEvent } from './event-stream.js'

/** One connection to an endpoints server. */
export interface StreamRequest {
  readonly url: URL
  readonly signal: AbortSignal
  readonly requestTimeoutMs: number
  /** No byte for this long ends it; the server sends one every 15 s. */
  readonly idleTimeoutMs: number
  readonly onOpen: () => void
  /** What it throws ends the stream. */
  readonly onEvent: (event: StreamEvent) => void
}

/** A service of 100,000 endpoints with all their labels is smaller. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024
/** Of an answer that is an error. */
const MAX_ERROR_BYTES = 500

/** Follows the event stream until it ends. @throws Error always, with the reason */
export async function followStream(request: StreamRequest): Promise<never> {
  const response = await open(request)
  if (response.statusCode !== 200) {
    const late = setTimeout(() => response.destroy(), request.requestTimeoutMs)
    const text = await errorText(response).catch(() => 'its reason did not arrive')
    clearTimeout(late)
    throw new Error(`HTTP ${response.statusCode}: ${text}`)
  }
  const type = response.headers['content-type'] ?? ''
  if (!type.startsWith('text/event-stream')) {
    response.destroy()
    throw new Error(
      `the answer is no event stream but ${type || 'of no type'}; is the URL that of an endpoints server?`,
    )
  }
  request.onOpen()
  const { idleTimeoutMs } = request
  const read = readEventStream(request.onEvent, MAX_EVENT_BYTES)
  return new Promise((_, reject) => {
    const idle = setTimeout(() => response.destroy(new Error(`no byte for ${idleTimeoutMs} ms`)), idleTimeoutMs)
    response.on('data', (chunk: Buffer) => {
      idle.refresh()
      try {
        read(chunk)
      } catch (error) {
        response.destroy(error as Error)
      }
    })
    response.on('error', reject)
    response.on('close', () => {
      clearTimeout(idle)
      reject(new Error('the server ended the stream'))
    })
  })
}

async function open({ url, signal, requestTimeoutMs }: StreamRequest): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // By address: a process whose calls Laneway resolves must not look for this server through itself.
  const address = isIP(host) === 0 ? await within(lookup(host), signal, requestTimeoutMs) : host
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const options = {
      host: address,
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, accept: 'text/event-stream' },
      agent: false as const,
      signal,
      ...(isIP(host) === 0 && { servername: host }),
    }
    const sent = url.protocol === 'https:' ? httpsRequest(options) : httpRequest(options)
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${requestTimeoutMs} ms`)), requestTimeoutMs)
    sent.on('response', response => {
      clearTimeout(timer)
      resolve(response)
    })
    sent.on('error', reject)
    sent.on('close', () => clearTimeout(timer))
    sent.end()
  })
}

/** A look-up cannot be ended: who waits for it can. */
function within(found: Promise<{ address: string }>, signal: AbortSignal, ms: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no address within ${ms} ms`)), ms)
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    found
      .then(({ address }) => resolve(address), reject)
      .finally(() => {
        clearTimeout(late)
        signal.removeEventListener('abort', abort)
      })
  })
}

async function errorText(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > MAX_ERROR_BYTES) break
  }
  return text.slice(0, MAX_ERROR_BYTES).trim() || 'no reason given'
}
