import type { AddressInfo, Server } from 'node:net'

/** Opens a port. Rejects with Node's error when it cannot be opened. */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** @throws Error before the server listens */
export function addressOf(server: Server, name: string): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error(`${name} does not listen`)
  return address
}

/** Accepts no more connections, and resolves when the last one has closed. Works before `listen` and a second time. */
export function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
  })
}
