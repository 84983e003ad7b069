import type { Carrier } from '../outgoing-metadata.js'

/** The headers of a call of connect. */
export class HeaderCarrier implements Carrier<HeaderCarrier> {
  readonly headers: Headers

  constructor(headers: Headers) {
    this.headers = headers
  }

  /** `Headers` joins its lines by comma and space; Laneway writes a list of tags without the space. */
  get(key: string): string[] {
    return this.headers.get(key)?.split(', ') ?? []
  }

  set(key: string, value: string): void {
    this.headers.set(key, value)
  }

  remove(key: string): void {
    this.headers.delete(key)
  }

  clone(): HeaderCarrier {
    return new HeaderCarrier(new Headers(this.headers))
  }
}
