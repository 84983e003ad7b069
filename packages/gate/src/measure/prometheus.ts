import { GateError } from '../gate-error.js'

/** One series of an answer: its labels and its samples, seconds and value. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly samples: readonly (readonly [at: number, value: number])[]
}

/** What the gate asks Prometheus. */
export interface Prometheus {
  /** The server's own time, in seconds: all queries of a round are about this moment. */
  now(): Promise<number>
  /** An instant query. Values are as Prometheus sent them, NaN included. */
  query(expression: string, at: number): Promise<readonly Series[]>
}

const TIMEOUT_MS = 10_000

/** A token; the white space around it, such as the line break of a mounted file, is removed. */
const BEARER = /^\s*[\x21-\x7e]+\s*$/

/**
 * Connects to Prometheus, or to a server with the same query API.
 *
 * It refuses an answer with warnings: a federated or remote store warns when its data is incomplete.
 *
 * @param base - user and password in it become basic auth
 * @param token - bearer token, `undefined` for none
 * @throws GateError `LANEWAY_GATE_INVALID_OPTION` for a token that no header can carry, `LANEWAY_GATE_METRICS` from each
 * method
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export function connectPrometheus(base: string, token: string | undefined): Prometheus {
  // The error of fetch for a header that it refuses would show the token.
  if (token !== undefined && !BEARER.test(token)) {
    throw new GateError(
      'LANEWAY_GATE_INVALID_OPTION',
      'the bearer token for Prometheus is visible ASCII in one line; the one received has something else in it',
    )
  }
  const url = new URL(base)
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const authorization = token !== undefined ? `Bearer ${token.trim()}` : username !== '' ? `Basic ${basic}` : undefined

  async function ask(parameters: Record<string, string>): Promise<{ resultType?: unknown; result?: unknown }> {
    let response: Response
    let text: string
    try {
      response = await fetch(url, {
        method: 'POST',
        body: new URLSearchParams(parameters),
        headers: authorization === undefined ? {} : { authorization },
        // A redirect would become a GET without the query, and often leads to a login page.
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      text = await response.text()
    } catch (error) {
      const { message, cause } = error as Error
      const why = cause instanceof Error && cause.message !== '' ? cause.message : message
      throw new GateError('LANEWAY_GATE_METRICS', `Prometheus does not answer: ${why}`, { cause: error })
    }
    const answer = parse(text)
    if (answer === undefined) {
      throw new GateError('LANEWAY_GATE_METRICS', `Prometheus does not answer: ${describeAnswer(response, text)}`)
    }
    if (answer.status !== 'success' || typeof answer.data !== 'object' || answer.data === null) {
      throw new GateError(
        'LANEWAY_GATE_METRICS',
        `Prometheus refuses ${parameters['query']}: ${beginningOf(String(answer.error))} (HTTP ${response.status})`,
      )
    }
    if (Array.isArray(answer.warnings) && answer.warnings.length > 0) {
      throw new GateError('LANEWAY_GATE_METRICS', `Prometheus is not sure of its answer: ${answer.warnings.join('; ')}`)
    }
    return answer.data
  }

  return {
    async now() {
      const { resultType, result } = await ask({ query: 'time()' })
      const at = resultType === 'scalar' ? Number((result as unknown[])[1]) : Number.NaN
      if (!Number.isFinite(at)) throw new GateError('LANEWAY_GATE_METRICS', 'Prometheus does not know the time')
      return at
    },
    async query(expression, at) {
      const { resultType, result } = await ask({ query: expression, time: String(at) })
      if (!Array.isArray(result) || (resultType !== 'vector' && resultType !== 'matrix')) {
        throw new GateError('LANEWAY_GATE_METRICS', `Prometheus answers ${expression} with ${String(resultType)}`)
      }
      return result.map((one: { metric?: Record<string, string>; value?: unknown[]; values?: unknown[][] }) => ({
        labels: one.metric ?? {},
        samples: (one.values ?? (one.value === undefined ? [] : [one.value])).map(
          pair => [Number(pair[0]), pair[1] === '' ? Number.NaN : Number(pair[1])] as const,
        ),
      }))
    },
  }
}

interface Answer {
  readonly status?: unknown
  readonly error?: unknown
  readonly warnings?: unknown
  readonly data?: { resultType?: unknown; result?: unknown } | null
}

/** An answer of the query API; `undefined` when something else answered. */
function parse(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null && 'status' in answer ? (answer as Answer) : undefined
  } catch {
    return undefined
  }
}

/** What a proxy or a login page answered instead: status, location and the beginning of the text. */
function describeAnswer({ status, headers }: Response, text: string): string {
  const location = headers.get('location')
  const to = location === null ? '' : ` to ${placeOf(location)}`
  return `what is there says HTTP ${status}${to}, and no result: ${text.trim() === '' ? '(empty)' : beginningOf(text)}`
}

/** Without user and query, which may hold secrets. */
function placeOf(location: string): string {
  const [path = ''] = location.split(/[?#]/)
  return beginningOf(path.includes('@') ? `***${path.slice(path.lastIndexOf('@'))}` : path)
}

const MAX_QUOTED = 200

/** On one line. */
function beginningOf(text: string): string {
  const line = text
    .slice(0, 10 * MAX_QUOTED)
    // A page must not write into a terminal.
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  return line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}...` : line
}
