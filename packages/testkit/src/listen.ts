import type { AddressInfo, Server } from 'node:net'

/** What is needed of a tap test. */
export interface Teardown {
  teardown(fn: () => unknown): void
}

/** Starts a server on a free loopback port and ends it, open connections included, with the test. Returns the port. */
export async function listen(t: Teardown, server: Server & { closeAllConnections?(): void }): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(
    () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections?.()
      }),
  )
  return (server.address() as AddressInfo).port
}
