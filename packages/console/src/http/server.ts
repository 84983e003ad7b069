import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Hub } from '../feeds/hub.js'
import type { Asset } from './assets.js'
import type { createGuard } from './guard.js'

/** Answers questions of the page: JSON for the parameters of the URL, or for the body of a POST. */
export type Answerer = (parameters: URLSearchParams, body: unknown) => unknown

const MAX_BODY_BYTES = 64 * 1024
/** The page and its data come from here alone; nothing in it is code but `page.js`. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** The server of the page; it listens to nothing yet. */
export function createConsoleServer(
  guard: ReturnType<typeof createGuard>,
  assets: ReadonlyMap<string, Asset>,
  hub: Hub,
  answerers: Readonly<Record<string, { readonly method: 'GET' | 'POST'; readonly answer: Answerer }>>,
): Server {
  return createServer({ requestTimeout: 30_000 }, (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    void handle(request, response).catch(error => {
      if (response.headersSent) response.destroy()
      else sendJson(response, 400, { error: error instanceof Error ? error.message : String(error) })
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
    const parameters = new URLSearchParams(query)
    const refusal = guard.refuse(request)
    const token = parameters.get('token')
    // The token moves from the URL into a cookie, so that it stays out of the address bar and of Referer.
    if (
      path === '/' &&
      token !== null &&
      request.method === 'GET' &&
      (refusal === undefined || refusal.status === 401)
    ) {
      if (!guard.isToken(token)) return send(response, 401, 'this is not the token of the console\n')
      return void response.writeHead(303, { location: '/', 'set-cookie': guard.cookie(token) }).end()
    }
    if (refusal !== undefined) return send(response, refusal.status, `${refusal.reason}\n`)
    const asset = assets.get(path)
    if (asset !== undefined && request.method === 'GET') {
      response.writeHead(200, { 'content-type': asset.type, 'content-length': asset.body.length })
      return void response.end(asset.body)
    }
    if (path === '/events' && request.method === 'GET') return hub.join(response)
    const found =
      path.startsWith('/api/') && Object.hasOwn(answerers, path.slice(5)) ? answerers[path.slice(5)] : undefined
    if (found === undefined) return send(response, 404, 'there is no such page\n')
    if (found.method !== request.method) return send(response, 405, `this takes ${found.method}\n`)
    const body = found.method === 'POST' ? await readJson(request) : undefined
    sendJson(response, 200, await found.answer(parameters, body))
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text)
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new Error(`the body is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
