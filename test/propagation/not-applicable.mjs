// Pairs that cannot exist, each with its reason. Everything that is not here has to pass.

const UNDICI_ONLY = new Set(['retry composed outside', 'RetryAgent', 'cache', 'deduplicate'])
const NO_REDIRECTS = new Set(['http.get', 'WebSocket'])
/** What a channel of gRPC can meet. */
const OF_GRPC = new Set([
  'unbounded',
  'retry',
  'queued callback',
  'raw body listener',
  'aborted requests in between',
  'pipelining',
])
const NO_RETRY = new Set(['http.get', 'axios', 'WebSocket'])

/** Why a cell cannot exist, or `undefined` when it can. */
export function notApplicable(node, ingress, egress, condition) {
  const [client] = egress.split(' ')
  const isUndici = client.startsWith('undici')
  if (client === 'grpc-js' && !OF_GRPC.has(condition)) return 'a channel of gRPC has one session and nothing like it'
  if (client === 'undici8' && node < 22) return 'undici 8 does not load on Node 20'
  if (
    !isUndici &&
    egress !== 'createLaneFetch' &&
    UNDICI_ONLY.has(condition) &&
    !(client === 'got' && condition === 'cache')
  ) {
    return `${client} has nothing like it`
  }
  if (egress === 'createLaneFetch' && (condition === 'retry' || UNDICI_ONLY.has(condition))) {
    return 'the fetch of Node takes no interceptors of the user'
  }
  if (egress === 'createLaneFetch' && (condition === 'HTTP proxy' || condition === 'bounded pool')) {
    return 'the fetch of Node makes its own dispatcher; its proxy is tested apart'
  }
  if (condition === 'retry' && NO_RETRY.has(client)) return `${client} does not retry`
  if (/redirect/.test(condition) && NO_REDIRECTS.has(client)) return `${client} does not follow redirects`
  if (client === 'WebSocket' && condition === 'bounded pool') return 'an upgraded socket leaves the pool'
  if (client === 'WebSocket' && condition === 'HTTP proxy')
    return 'the client takes one agent, which is the proxy or Laneway'
  if (client === 'undici6' && (condition === 'cache' || condition === 'deduplicate'))
    return 'undici 6 has no such interceptor'
  if (egress === 'undici8 pipeline' && /^retry|RetryAgent|redirect/.test(condition)) {
    return 'undici 8 sends the stream of a pipeline once: it repeats and follows nothing'
  }
  if (condition === 'pipelining' && (ingress.includes('http2') || ingress === 'grpc-js'))
    return 'HTTP/2 has streams instead'
  return undefined
}
