import { IncomingMessage } from 'node:http'

const kUpgrade = Symbol('laneway.gateway.upgrade')

/**
 * A request whose `upgrade` is true for WebSockets (and CONNECT) only.
 *
 * Node asks this property whether to emit `upgrade` instead of `request`, as soon as a server has an `upgrade` listener,
 * and then reads no body and serves no answer. `java.net.http` sends `Upgrade: h2c` on plain requests, bodies included:
 * they have to stay requests. The class is given to the server as its documented option `IncomingMessage`.
 *
 * Node's parser stops behind every request that asks for an upgrade, and Node drops what it has not parsed. When Node asks
 * again behind such a request, the answer is yes, once: `upgrade` is then emitted with the rest, see `readOn`.
 */
export class GatewayRequest extends IncomingMessage {
  /** The parser writes it before the headers are there, and the server reads it after. */
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

/** From now on, a request that is no WebSocket is no upgrade for anybody. */
export function takeRest(request: IncomingMessage): void {
  ;(request as { [kRest]?: true })[kRest] = true
}

const WEBSOCKET = /(?:^|,)\s*websocket\s*(?:,|$)/i

/** RFC 6455 section 4.1: a GET of HTTP/1.1 that asks for `websocket`. One with a body is a request like any other. */
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
