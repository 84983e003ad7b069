import type { IngressRequest } from '@laneway/core'
import type { GrpcMetadata } from '../grpc-js.js'

/** A call as an ingress sees it: its metadata as headers, and its peer. */
export class ServerRequest implements IngressRequest {
  readonly headers: Record<string, string | string[] | undefined>
  readonly method = 'POST'
  /** `/package.Service/Method` */
  readonly url: string
  readonly #peer: string

  /** @param peer - `address:port`, as grpc-js tells it */
  constructor(metadata: GrpcMetadata, url: string, peer: string) {
    this.headers = headersOf(metadata)
    this.url = url
    this.#peer = peer
  }

  get socket(): { remoteAddress: string | undefined } {
    const address = /^\[?(.*?)\]?:\d+$/.exec(this.#peer)?.[1] ?? this.#peer
    return { remoteAddress: address === 'unknown' ? undefined : address }
  }

  /** Takes out of the metadata what an ingress has taken out of the headers. */
  static write({ headers }: IngressRequest, metadata: GrpcMetadata): void {
    for (const key of Object.keys(metadata.toJSON())) {
      const kept = headers[key]
      if (kept === undefined) metadata.remove(key)
      else if (key === 'baggage') metadata.set(key, String(kept))
    }
  }
}

function headersOf(metadata: GrpcMetadata): Record<string, string | string[] | undefined> {
  const headers: Record<string, string | string[]> = Object.create(null)
  const all = metadata.toJSON()
  for (const key of Object.keys(all)) {
    const values = all[key]!
    headers[key] = values.length === 1 ? linesOf(String(values[0])) : values.map(String)
  }
  return headers
}

/**
 * Node joins the lines of a header by comma and space before grpc-js sees them. Laneway writes a list of tags without the
 * space, so what has one was several lines: they have to agree.
 */
function linesOf(value: string): string | string[] {
  return value.includes(', ') ? value.split(', ') : value
}
