import type { IngressRequest } from '@laneway/core/internal'
import type { GrpcMetadata } from '../grpc-js.js'

type Headers = Record<string, string | string[] | undefined>

/** Makes what `Object.create(null)` makes, but V8 keeps the keys in a shape instead of a dictionary: a call makes one. */
function HeaderMap() {}
HeaderMap.prototype = Object.create(null)

/** A call as an ingress sees it: its metadata as headers, and its peer. */
export class ServerRequest implements IngressRequest {
  readonly headers: Headers
  readonly method = 'POST'
  /** `/package.Service/Method` */
  readonly url: string
  readonly #call: { getPeer(): string }

  /** @param call - its peer is `address:port` */
  constructor(metadata: GrpcMetadata, url: string, call: { getPeer(): string }) {
    this.headers = headersOf(metadata)
    this.url = url
    this.#call = call
  }

  get socket(): { remoteAddress: string | undefined } {
    const address = addressOf(this.#call.getPeer())
    return { remoteAddress: address === 'unknown' ? undefined : address }
  }

  /** Removes from the metadata what an ingress has removed from the headers. */
  static write({ headers }: IngressRequest, metadata: GrpcMetadata): void {
    for (const key of Object.keys(metadata.toJSON())) {
      const kept = headers[key]
      if (kept === undefined) metadata.remove(key)
      else if (key === 'baggage') metadata.set(key, String(kept))
    }
  }
}

/** Without port and brackets. */
function addressOf(peer: string): string {
  const colon = peer.lastIndexOf(':')
  if (colon === -1 || !/^\d+$/.test(peer.slice(colon + 1))) return peer
  return peer.startsWith('[') && peer[colon - 1] === ']' ? peer.slice(1, colon - 1) : peer.slice(0, colon)
}

function headersOf(metadata: GrpcMetadata): Headers {
  const headers = new (HeaderMap as unknown as new () => Headers)()
  const all = metadata.toJSON()
  for (const key of Object.keys(all)) {
    const values = all[key]!
    headers[key] = values.length === 1 ? linesOf(String(values[0])) : values.map(String)
  }
  return headers
}

/**
 * Node joins the lines of a header by comma and space before grpc-js sees them. Laneway writes a list of tags without the
 * space, so a value with one was several lines: they have to agree.
 */
function linesOf(value: string): string | string[] {
  return value.includes(', ') ? value.split(', ') : value
}
