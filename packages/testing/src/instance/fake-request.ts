import type { IncomingHttpHeaders } from 'node:http'

/** A request that arrived at a stub instance. */
export interface FakeRequest {
  /** As in `fakeLanes`. */
  readonly service: string
  /** Which instance served it: `base`, or the tag as in `fakeLanes`. */
  readonly instance: string
  /** The lane that the request carried, as on the wire; `undefined` for none. Several lines of the header are joined by `, `. */
  readonly lane: string | undefined
  readonly method: string
  /** The target, with the query: `/prices?of=1`. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}
