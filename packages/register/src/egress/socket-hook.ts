import dgram from 'node:dgram'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import tls from 'node:tls'
import { runInLane } from '@laneway/core'
import { contextNow } from '@laneway/core/internal'
import type { Guard } from '../guard.js'

type Method = (this: unknown, ...args: any[]) => any

/**
 * Opens connections that are not HTTP in no lane: what arrives on them, subscriptions for example, belongs to no request
 * although one happened to open them. Those of `http`, `https` and undici keep the context of their request.
 *
 * @param opens - called with each socket before it connects; `true` keeps its context
 */
export function hookSockets(guard: Guard, opens: (socket: object) => boolean): void {
  const prototype = Socket.prototype as unknown as { connect: Method }
  prototype.connect = detached(prototype.connect, guard, (args, socket) => namesHttp(args) || opens(socket as object))
  // The handle of a TLS socket is made before its connect().
  const secure = tls as unknown as { connect: Method }
  secure.connect = detached(secure.connect, guard, namesHttp)
  const datagrams = dgram as unknown as { createSocket: Method }
  datagrams.createSocket = detached(datagrams.createSocket, guard, () => false)
  syncBuiltinESMExports()
}

function detached(original: Method, guard: Guard, keeps: (args: unknown[], socket: unknown) => boolean): Method {
  const method = function (this: unknown, ...args: unknown[]): unknown {
    let detach = false
    try {
      detach = !keeps(args, this) && contextNow() !== undefined
    } catch (error) {
      guard.fault('sockets', error)
    }
    if (!detach) return Reflect.apply(original, this, args)
    return runInLane(undefined, () => Reflect.apply(original, this, args))
  }
  for (const key of ['name', 'length']) {
    Object.defineProperty(method, key, Object.getOwnPropertyDescriptor(original, key)!)
  }
  return method
}

const HTTP = new Set<unknown>(['http:', 'https:', 'ws:', 'wss:'])

/**
 * Whether an HTTP client opens the connection. Agents of Node set `encoding: null`; undici names the protocol; clients
 * that connect by themselves, as ws does, hand over the options of their request.
 */
function namesHttp(args: unknown[]): boolean {
  // Within Node the arguments come as one array.
  const options = Array.isArray(args[0]) ? args[0][0] : args.find(one => typeof one === 'object' && one !== null)
  if (typeof options !== 'object' || options === null) return false
  const { encoding, protocol, headers } = options as Record<string, unknown>
  return encoding === null || HTTP.has(protocol) || (typeof headers === 'object' && headers !== null)
}
