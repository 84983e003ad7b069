import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

let latest: WeakRef<Socket> | undefined
let watching = false

/** The socket that was the last to connect, since {@link watchConnecting}. */
export function connectingSocket(): Socket | undefined {
  return latest?.deref()
}

/** Begins to note sockets that connect; called when a mock is met, because only a mock makes sockets unseen. */
export function watchConnecting(): void {
  if (watching) return
  watching = true
  subscribe('net.client.socket', message => {
    latest = new WeakRef((message as { socket: Socket }).socket)
  })
}
