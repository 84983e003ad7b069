import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Dialect } from './dialect.js'
import type { TokenStore } from './token-store.js'

interface HttpParts {
  readonly dialect: Dialect
  readonly tokens: TokenStore
}

/** Serves the few HTTP interfaces that gRPC clients need. */
export function createHttpApi({ dialect, tokens }: HttpParts): RequestListener {
  return function serveHttp(request, response) {
    void answer(request, response)
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const params = await readParams(request, url)
    const isLogin =
      url.pathname === '/nacos/v1/auth/users/login' ||
      url.pathname === '/nacos/v1/auth/login' ||
      (dialect.httpV3 && url.pathname === '/nacos/v3/auth/user/login')
    if (isLogin && request.method === 'POST') {
      const login = tokens.login(params.get('username') ?? '', params.get('password') ?? '')
      if (login === undefined) return send(response, 403, 'user not found!')
      return send(response, 200, login)
    }
    if (url.pathname === '/nacos/actuator/health' || url.pathname === '/nacos/v1/ns/operator/metrics') {
      return send(response, 200, { status: 'UP' })
    }
    send(response, 404, { status: 404, error: 'Not Found', path: url.pathname })
  }
}

async function readParams(request: IncomingMessage, url: URL): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const params = new URLSearchParams(Buffer.concat(chunks).toString())
  for (const [key, value] of url.searchParams) params.set(key, value)
  return params
}

function send(response: ServerResponse, status: number, body: object | string): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' })
  response.end(isText ? body : JSON.stringify(body))
}
