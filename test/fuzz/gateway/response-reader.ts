/** One answer of HTTP/1. */
export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
  /** The connection ends with it. */
  readonly last: boolean
}

/** How the body of the answer that is being read ends. */
type Framing =
  | { readonly kind: 'length'; readonly end: number }
  | { readonly kind: 'chunks' }
  | { readonly kind: 'close' }

interface Head {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly minor: string
  readonly framing: Framing
}

/**
 * Reads the answers of one connection, strictly: what is not exactly HTTP is an error, because an answer in the wrong
 * place begins as one.
 */
export class ResponseReader {
  #bytes: Buffer = Buffer.alloc(0)
  #head: Head | undefined
  #body = ''
  #isTunnel = false
  /** What came after a 101. */
  tunnelled: Buffer = Buffer.alloc(0)

  /** Bytes of an answer that has begun. */
  get begun(): boolean {
    return this.#head !== undefined || this.#bytes.length > 0
  }

  /** The head of the answer that is being read. */
  get status(): number | undefined {
    return this.#head?.status
  }

  /** @throws Error for what is no HTTP */
  take(chunk: Buffer): void {
    if (this.#isTunnel) this.tunnelled = Buffer.concat([this.tunnelled, chunk])
    else this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
  }

  /**
   * The next whole answer; `undefined` when there is none yet. A 101 makes the rest a tunnel.
   *
   * @param method - of the request that is to be answered
   */
  next(method: string): Answer | undefined {
    if (this.#isTunnel) return undefined
    this.#head ??= this.#readHead(method)
    const head = this.#head
    if (head === undefined || !this.#readBody(head.framing)) return undefined
    return this.#finish(head)
  }

  /** The connection has ended. @returns the answer that ends with it, `undefined` for none, or a part of one */
  end(): Answer | undefined {
    const head = this.#head
    if (head?.framing.kind !== 'close') return undefined
    this.#body += this.#bytes.toString('latin1')
    this.#bytes = Buffer.alloc(0)
    return this.#finish(head)
  }

  #finish({ status, headers, minor, framing }: Head): Answer {
    const body = this.#body
    this.#head = undefined
    this.#body = ''
    if (status === 101) {
      this.#isTunnel = true
      this.tunnelled = this.#bytes
      this.#bytes = Buffer.alloc(0)
    }
    const connection = headers.get('connection')?.toLowerCase() ?? ''
    const last =
      framing.kind === 'close' || /\bclose\b/.test(connection) || (minor === '0' && !/keep-alive/.test(connection))
    return { status, headers, body, last }
  }

  #readHead(method: string): Head | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n')
    const beginning = this.#bytes.subarray(0, 9).toString('latin1')
    if (!'HTTP/1.1 '.startsWith(beginning) && !'HTTP/1.0 '.startsWith(beginning)) {
      throw new Error(`bytes that begin no answer: ${JSON.stringify(this.#bytes.subarray(0, 80).toString('latin1'))}`)
    }
    if (end === -1) return undefined
    const [first = '', ...lines] = this.#bytes.subarray(0, end).toString('latin1').split('\r\n')
    this.#bytes = this.#bytes.subarray(end + 4)
    const [, minor = '', code = ''] = /^HTTP\/1\.([01]) (\d{3}) [^\r\n]*$/.exec(first) ?? []
    if (code === '') throw new Error(`no status line: ${JSON.stringify(first)}`)
    const headers = new Map<string, string>()
    for (const line of lines) {
      const colon = line.indexOf(':')
      if (colon < 1) throw new Error(`no header line: ${JSON.stringify(line)}`)
      const name = line.slice(0, colon).toLowerCase()
      const value = line.slice(colon + 1).trim()
      headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
    }
    const status = Number(code)
    return { status, headers, minor, framing: framingOf(status, headers, method) }
  }

  /** @returns whether the body is whole */
  #readBody(framing: Framing): boolean {
    if (framing.kind === 'length') {
      const missing = framing.end - this.#body.length
      this.#body += this.#bytes.subarray(0, missing).toString('latin1')
      this.#bytes = this.#bytes.subarray(Math.min(missing, this.#bytes.length))
      return this.#body.length === framing.end
    }
    while (framing.kind === 'chunks') {
      const line = this.#bytes.indexOf('\r\n')
      if (line === -1) return false
      const size = Number.parseInt(this.#bytes.subarray(0, line).toString('latin1'), 16)
      if (!(size >= 0)) throw new Error(`no chunk: ${JSON.stringify(this.#bytes.subarray(0, 40).toString('latin1'))}`)
      if (size === 0) return this.#readTrailers(line + 2)
      if (this.#bytes.length < line + 2 + size + 2) return false
      this.#body += this.#bytes.subarray(line + 2, line + 2 + size).toString('latin1')
      this.#bytes = this.#bytes.subarray(line + 2 + size + 2)
    }
    return false
  }

  #readTrailers(from: number): boolean {
    let at = from
    for (;;) {
      const line = this.#bytes.indexOf('\r\n', at)
      if (line === -1) return false
      if (line === at) break
      at = line + 2
    }
    this.#bytes = this.#bytes.subarray(at + 2)
    return true
  }
}

/** RFC 9112 section 6.3 */
function framingOf(status: number, headers: ReadonlyMap<string, string>, method: string): Framing {
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  if (bodiless) return { kind: 'length', end: 0 }
  if (/chunked/i.test(headers.get('transfer-encoding') ?? '')) return { kind: 'chunks' }
  const length = headers.get('content-length')
  return length === undefined ? { kind: 'close' } : { kind: 'length', end: Number(length) }
}
