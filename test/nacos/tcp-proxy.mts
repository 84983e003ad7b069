import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A wire to a gRPC port that can be cut, frozen, or moved to another server. Its port is 1000 above `address`, as a client expects. */
export async function startProxy(target: string): Promise<{
  address: string
  cut(): void
  freeze(frozen: boolean): void
  /** New connections lead there. */
  move(target: string): void
  close(): Promise<void>
  readonly open: number
}> {
  const pairs = new Set<[Socket, Socket]>()
  let frozen = false
  let goal = target
  const server = createServer(near => {
    const [host, port] = goal.split(':')
    const far = connect(Number(port), host)
    const pair: [Socket, Socket] = [near, far]
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('data', chunk => {
        if (!frozen) to.write(chunk)
      })
      from.on('error', () => {})
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port - 1000}`,
    cut: () => {
      for (const [near, far] of pairs) {
        near.resetAndDestroy()
        far.resetAndDestroy()
      }
    },
    freeze: value => {
      frozen = value
    },
    move: to => {
      goal = to
    },
    close: async () => {
      for (const [near] of pairs) near.destroy()
      await new Promise(resolve => server.close(resolve))
    },
    get open() {
      return pairs.size
    },
  }
}
