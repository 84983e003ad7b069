import { IncomingMessage } from 'node:http'

const kUpgrade = Symbol('laneway.gateway.upgrade')

/**
 * A request whose `upgrade` is true for WebSockets (and CONNECT) only.
 *
 * Node asks this property whether to emit `upgrade` instead of `request`, as soon as a server has an `upgrade` listener,
 * and then reads no body and serves no answer. `java.net.http` sends `Upgrade: h2c` on plain requests, bodies included:
 * they have to stay requests. The class is given to the server as its documented option `IncomingMessage`.
 */
export class GatewayRequest extends IncomingMessage {
  /** The parser writes it before the headers are there, and the server reads it after. */
  get upgrade(): boolean {
    const self = this as { [kUpgrade]?: unknown }
    return self[kUpgrade] === true && (this.method === 'CONNECT' || isWebSocket(this))
  }

  set upgrade(value: unknown) {
    const self = this as { [kUpgrade]?: unknown }
    self[kUpgrade] = value
  }
}

const WEBSOCKET = /(?:^|,)\s*websocket\s*(?:,|$)/i

/** RFC 6455 section 4.1: a GET that asks for `websocket`. */
export function isWebSocket({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  const { upgrade } = headers
  return upgrade !== undefined && method === 'GET' && WEBSOCKET.test(upgrade)
}
