/** One line of the access log. Fields that do not apply are absent. */
export interface AccessLogEntry {
  /** When the head of the request had arrived, RFC 3339. */
  readonly time: string
  readonly method: string
  readonly host: string | undefined
  /** Without the query, which may hold secrets. */
  readonly path: string
  readonly protocol: string
  /** The peer of the connection. */
  readonly client: string | undefined
  /** 0 when the client left before there was an answer. */
  readonly status: number
  readonly route: string | undefined
  readonly service: string | undefined
  /** The lane of the request. */
  readonly lane: string | undefined
  /** The colouring rule that decided. */
  readonly rule: string | undefined
  /** See `Outcome` of `@laneway/discovery`. */
  readonly outcome: string | undefined
  /** The lane of the endpoint that served. */
  readonly served: string | undefined
  /** `host:port` */
  readonly endpoint: string | undefined
  readonly requestBytes: number
  readonly responseBytes: number
  readonly durationMs: number
  /** Time until the head of the upstream's answer. */
  readonly upstreamMs: number | undefined
  /** Why it failed. */
  readonly error: string | undefined
}

/** Takes the lines of the log, for example `process.stdout`. */
export interface LogDestination {
  write(text: string): unknown
}

/** Characters that wait for the end of the turn at most; more are written at once. */
const MAX_PENDING = 64 * 1024

/**
 * Writes one JSON object per line. It writes the lines of one turn of the event loop together, because a write to a pipe
 * or a file costs more than the line.
 */
export function createLineLog(destination: LogDestination): {
  readonly log: (entry: AccessLogEntry) => void
  readonly flush: () => void
} {
  let pending = ''
  const flush = (): void => {
    if (pending === '') return
    const text = pending
    pending = ''
    destination.write(text)
  }
  return {
    flush,
    log(entry) {
      if (pending === '') setImmediate(flush)
      pending += `${JSON.stringify(entry)}\n`
      if (pending.length > MAX_PENDING) flush()
    },
  }
}
