import { AsyncResource } from 'node:async_hooks'
import type { Socket } from 'node:net'

/** How a connection attempt went on. `timedOut` may come several times, the others end the wait. */
export interface ConnectWatcher {
  connected(socket: Socket): void
  failed(error: Error): void
  /** The socket was destroyed without an error, for instance by `agent.destroy()`. */
  closed(): void
  /** The socket was idle for the time that the request or the agent set. */
  timedOut(): void
}

/**
 * Waits for the TCP connection of a socket. The watcher is called in the context of this call: the socket may have been
 * opened in that of another request of the same pool.
 *
 * @returns gives up the wait and the socket
 */
export function awaitConnect(socket: Socket, timeoutMs: number, watcher: ConnectWatcher): () => void {
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error(`connect timed out after ${timeoutMs} ms`), TIMED_OUT))
  }, timeoutMs)
  const leave = () => {
    clearTimeout(timer)
    socket.removeListener('connect', connected)
    socket.removeListener('error', failed)
    socket.removeListener('close', closed)
    socket.removeListener('timeout', timedOut)
    // Errors that follow belong to nobody; an 'error' without a listener would end the process.
    socket.on('error', ignore)
  }
  const connected = AsyncResource.bind(() => {
    leave()
    watcher.connected(socket)
    // Node attaches its own listener one tick after it was given the socket.
    process.nextTick(() => socket.removeListener('error', ignore))
  })
  const failed = AsyncResource.bind((error: Error) => {
    leave()
    watcher.failed(error)
  })
  const closed = AsyncResource.bind(() => {
    leave()
    watcher.closed()
  })
  const timedOut = AsyncResource.bind(() => watcher.timedOut())
  socket.on('connect', connected)
  socket.on('error', failed)
  socket.on('close', closed)
  socket.on('timeout', timedOut)
  return () => {
    leave()
    socket.destroy()
  }
}

const TIMED_OUT = { code: 'ETIMEDOUT', syscall: 'connect' }

function ignore(): void {}
