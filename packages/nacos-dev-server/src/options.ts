import { type DialectName, dialectNames } from './dialect.js'
import { DevServerError } from './error.js'

/** Settings of {@link createNacosDevServer}. */
export interface NacosDevServerOptions {
  /**
   * Address to listen on.
   * @default '127.0.0.1', because the server has no protection worth the name
   */
  readonly host?: string
  /**
   * HTTP port; gRPC listens on the port 1000 above, where clients expect it. 0: a free pair.
   * @default 8848, the port of Nacos
   */
  readonly port?: number
  /**
   * The release to imitate.
   * @default '3.1.0'
   */
  readonly dialect?: DialectName
  /**
   * Milliseconds from a change to its push; changes within it become one push.
   * @default 500, as a real server; tests set 0
   */
  readonly pushDelayMs?: number
  /**
   * Milliseconds that a client has to acknowledge a push.
   * @default 5000, as a real server
   */
  readonly pushAnswerMs?: number
  /**
   * Milliseconds from a push that was refused or not acknowledged to its repeat.
   * @default 1000, as a real server
   */
  readonly pushRetryMs?: number
  /**
   * Milliseconds from a config change to its notification.
   * @default 100, as a real server; tests set 0
   */
  readonly configDelayMs?: number
  /**
   * Idle detection: after how many milliseconds of silence a client is asked, how often that is looked for, and how long
   * it has to answer. `false`: never, which is also what the 2.2.3 dialect does.
   * @default { idleMs: 20000, everyMs: 3000, answerMs: 5000 }, as a real server
   */
  readonly detection?: false | { readonly idleMs?: number; readonly everyMs?: number; readonly answerMs?: number }
  /**
   * Requires tokens. Users by name with their passwords; `readers` may not register or publish.
   * @default undefined: everyone may do everything
   */
  readonly auth?: {
    readonly users: Readonly<Record<string, string>>
    readonly readers?: readonly string[]
    /** @default 18000, as a real server */
    readonly tokenTtlSeconds?: number
  }
  /**
   * TLS on both ports. With `clientCa` the gRPC port requires client certificates that it signed.
   * @default undefined: plain text
   */
  readonly tls?: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly clientCa?: string | Buffer }
  /**
   * Called with every message, in the order in which the server sees and sends them.
   * @default undefined
   */
  readonly onMessage?: (message: TracedMessage) => void
}

/** One message, for logs and assertions. */
export interface TracedMessage {
  readonly from: 'client' | 'server'
  readonly via: 'unary' | 'stream'
  readonly connectionId: string
  readonly type: string
  /** JSON text. */
  readonly body: string
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly host: string
  readonly port: number
  readonly dialect: DialectName
  readonly pushDelayMs: number
  readonly pushAnswerMs: number
  readonly pushRetryMs: number
  readonly configDelayMs: number
  readonly detection: { readonly idleMs: number; readonly everyMs: number; readonly answerMs: number } | undefined
  readonly auth:
    | {
        readonly users: ReadonlyMap<string, string>
        readonly readers: ReadonlySet<string>
        readonly tokenTtlSeconds: number
      }
    | undefined
  readonly tls: NacosDevServerOptions['tls']
  readonly onMessage: ((message: TracedMessage) => void) | undefined
}

const keys = {
  options: [
    'host',
    'port',
    'dialect',
    'pushDelayMs',
    'pushAnswerMs',
    'pushRetryMs',
    'configDelayMs',
    'detection',
    'auth',
    'tls',
    'onMessage',
  ],
  detection: ['idleMs', 'everyMs', 'answerMs'],
  auth: ['users', 'readers', 'tokenTtlSeconds'],
  tls: ['key', 'cert', 'clientCa'],
} as const

/** Fills in the defaults. Throws a {@link DevServerError} `LANEWAY_INVALID_OPTION` for what it cannot use. */
export function resolveOptions(input: NacosDevServerOptions = {}): ResolvedOptions {
  assertKeys('options', input)
  const dialect = input.dialect ?? '3.1.0'
  if (!dialectNames.includes(dialect)) {
    throw new DevServerError(
      'LANEWAY_INVALID_OPTION',
      `dialect must be one of ${dialectNames.join(', ')}, got ${String(dialect)}`,
    )
  }
  const port = input.port ?? 8848
  if (!(Number.isInteger(port) && (port === 0 || (port >= 1 && port <= 64_535)))) {
    throw new DevServerError(
      'LANEWAY_INVALID_OPTION',
      `port must be 0 or 1..64535, because gRPC takes the port 1000 above; got ${String(input.port)}`,
    )
  }
  const { auth, tls } = input
  if (auth !== undefined) assertKeys('auth', auth)
  if (tls !== undefined) assertKeys('tls', tls)
  let detection: ResolvedOptions['detection']
  if (input.detection !== false) {
    const given = input.detection ?? {}
    assertKeys('detection', given)
    detection = Object.freeze({
      idleMs: duration('detection.idleMs', given.idleMs, 20_000),
      everyMs: Math.max(duration('detection.everyMs', given.everyMs, 3000), 1),
      answerMs: duration('detection.answerMs', given.answerMs, 5000),
    })
  }
  return Object.freeze({
    host: input.host ?? '127.0.0.1',
    port,
    dialect,
    pushDelayMs: duration('pushDelayMs', input.pushDelayMs, 500),
    pushAnswerMs: duration('pushAnswerMs', input.pushAnswerMs, 5000),
    pushRetryMs: duration('pushRetryMs', input.pushRetryMs, 1000),
    configDelayMs: duration('configDelayMs', input.configDelayMs, 100),
    detection,
    auth:
      auth &&
      Object.freeze({
        users: new Map(Object.entries(auth.users)),
        readers: new Set(auth.readers),
        tokenTtlSeconds: duration('auth.tokenTtlSeconds', auth.tokenTtlSeconds, 18_000),
      }),
    tls: tls && Object.freeze({ ...tls }),
    onMessage: input.onMessage,
  })
}

function duration(name: string, value: number | undefined, fallback: number): number {
  const result = value ?? fallback
  // 2^31 - 1 ms is the longest that a timer of Node takes; beyond, it fires at once.
  if (!(result >= 0 && result <= 2_147_483_647)) {
    throw new DevServerError('LANEWAY_INVALID_OPTION', `${name} must be a number >= 0, got ${String(value)}`)
  }
  return result
}

function assertKeys(where: keyof typeof keys, given: object): void {
  const known: readonly string[] = keys[where]
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    const near = known.find(name => name.toLowerCase() === key.toLowerCase() || name.startsWith(key.slice(0, 4)))
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`
    throw new DevServerError('LANEWAY_INVALID_OPTION', `unknown key "${key}" in ${where}: ${hint}`)
  }
}
