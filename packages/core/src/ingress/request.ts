/** What an ingress needs of a request; `http.IncomingMessage`, `http2.Http2ServerRequest` and `inject()` requests fit. */
export interface IngressRequest {
  readonly headers: Record<string, string | string[] | undefined>
  readonly rawHeaders?: string[]
  readonly headersDistinct?: Record<string, string[] | undefined>
  readonly socket?: { readonly remoteAddress?: string | undefined } | null
}
