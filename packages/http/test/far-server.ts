import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import { loopback, type Seen, type SeenServer, seenServer } from '@laneway/testkit/egress'
import type { Test } from 'tap'

export type FarServer = SeenServer

export { closedPort } from '@laneway/testkit/egress'

/** Any name resolves to loopback. */
export const lookup = loopback

type Answer = (seen: Seen, request: IncomingMessage, response: ServerResponse) => void

/** A server that notes the requests it gets. */
export function farServer(t: Test, answer?: Answer, secure = false): Promise<FarServer> {
  return seenServer(t, 'far', answer && ((seen, response, request) => answer(seen, request, response)), secure)
}

export interface Answered {
  status: number
  text: string
  response: IncomingMessage
}

/** `http.request` with a promise; `https` by the protocol. */
export function send(url: string, options: http.RequestOptions = {}, body?: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http).request(url, options, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text, response }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
}
