import { IncomingMessage } from 'node:http'

const kUpgrade = Symbol('laneway.gateway.upgrade')

/**
 * A request whose `upgrade` is true for WebSockets (and CONNECT) only.
 *
 * A server with an `upgrade` listener reads this property to decide whether to emit `upgrade` instead of `request`; after
 * `upgrade` it reads no body and sends no answer. `java.net.http` sends `Upgrade: h2c` on plain requests, bodies included,
 * and these must stay requests. The server gets this class as its documented option `IncomingMessage`.
 *
 * Node's parser stops after every request that asks for an upgrade, and Node drops what it has not parsed. When Node reads
 * the property again after such a request, it is true once, so that Node emits `upgrade` with the rest; see `readOn`.
 */
export class GatewayRequest extends IncomingMessage {
  /** The parser writes it before the headers are parsed, and the server reads it after. */
  get upgrade(): boolean {
    const self = this as { [kUpgrade]?: unknown; [kRest]?: true }
    if (self[kUpgrade] !== true) return false
    return this.method === 'CONNECT' || isWebSocket(this) || (this.complete && self[kRest] === undefined)
  }

  set upgrade(value: unknown) {
    const self = this as { [kUpgrade]?: unknown }
    self[kUpgrade] = value
  }
}

const kRest = Symbol('laneway.gateway.rest')

/** From now on, this request is no upgrade. */
export function takeRest(request: IncomingMessage): void {
  ;(request as { [kRest]?: true })[kRest] = true
}

const WEBSOCKET = /(?:^|,)\s*websocket\s*(?:,|$)/i

/** RFC 6455 section 4.1: a GET of HTTP/1.1 that asks for `websocket`. One with a body is an ordinary request. */
export function isWebSocket({ method, headers, httpVersionMinor }: IncomingMessage): boolean {
  const { upgrade } = headers
  return (
    upgrade !== undefined &&
    method === 'GET' &&
    httpVersionMinor === 1 &&
    WEBSOCKET.test(upgrade) &&
    headers['transfer-encoding'] === undefined &&
    (headers['content-length'] ?? '0') === '0'
  )
}
