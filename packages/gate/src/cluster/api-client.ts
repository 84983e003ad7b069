import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClusterAccess } from '@laneway/kubernetes/internal'

/** An answer of the API server that is no success. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** One request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Without the path that a kubeconfig puts in front. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** @default 'application/json' */
  readonly contentType?: string
}

/** Time for one answer, in milliseconds: an API server that is alive answers each of these requests within seconds. */
const TIMEOUT_MS = 30_000
/** Pauses before the second and third attempt. */
const RETRY_AFTER_MS = [200, 1_000]
/** How much of an answer that is no JSON a message quotes. */
const MAX_QUOTED = 300

/**
 * Sends a request and reads the JSON of its answer. Repeats it after a lost connection, 429 or 5xx, because a restarting
 * server must not stop an approval halfway.
 *
 * @throws ApiError for a status that is no success; Node's error when the server cannot be reached
 */
export async function callApi(access: ClusterAccess, request: ApiRequest): Promise<unknown> {
  for (const pause of RETRY_AFTER_MS) {
    try {
      return await callOnce(access, request)
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) throw error
      await delay(pause)
    }
  }
  return callOnce(access, request)
}

async function callOnce(access: ClusterAccess, request: ApiRequest): Promise<unknown> {
  let answer = await send(access, request, false)
  // The token was replaced, or the credential of a plugin has expired: they are read again.
  if (answer.status === 401) answer = await send(access, request, true)
  const { status, text } = answer
  if (status < 200 || status > 299) throw new ApiError(status, reasonOf(text) || `HTTP status ${status}`)
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError(status, `the answer is no JSON: ${text.slice(0, MAX_QUOTED)}`)
  }
}

async function send(
  access: ClusterAccess,
  { method, path, query = {}, body, contentType = 'application/json' }: ApiRequest,
  refused: boolean,
): Promise<{ status: number; text: string }> {
  const { tls, headers } = await access.credentials(refused)
  const url = new URL(access.server)
  url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`
  url.search = new URLSearchParams(query).toString()
  const isSecure = url.protocol === 'https:'
  const payload = body === undefined ? undefined : JSON.stringify(body)
  const options = {
    method,
    headers: { ...headers, accept: 'application/json', ...(payload !== undefined && { 'content-type': contentType }) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    // One connection per request: there are a few of them every 15 seconds.
    agent: isSecure ? new HttpsAgent(tls) : new HttpAgent(),
  }
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = isSecure ? requestHttps(url, options) : requestHttp(url, options)
    sent.on('response', resolve).on('error', reject)
    sent.end(payload)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
}

/** The API server explains a refusal in the `message` of a `Status` object; a proxy in front of it does not. */
function reasonOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string') return message
  } catch {
    // No JSON: quoted as it is.
  }
  return text.slice(0, MAX_QUOTED)
}
