import type { HttpServer } from '../ingress/http-servers.js'

/** How often connections that have become idle are closed. */
const IDLE_CHECK_MS = 50

/** Ends servers after the requests that are under way, or after `limitMs` in any case. Never rejects. */
export async function drain(servers: Iterable<HttpServer>, limitMs: number): Promise<void> {
  const closed: Promise<void>[] = []
  const open: HttpServer[] = []
  for (const server of servers) {
    if (!server.listening) continue
    open.push(server)
    closed.push(new Promise(resolve => server.close(() => resolve())))
  }
  const closeIdle = () => {
    for (const server of open) server.closeIdleConnections?.()
  }
  closeIdle()
  const idle = setInterval(closeIdle, IDLE_CHECK_MS)
  await atMost(limitMs, Promise.all(closed))
  clearInterval(idle)
}

/** Waits, but not longer than a limit. The timer keeps the process alive until then. */
export async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
