import { spawnSync } from 'node:child_process'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { startProxy } from '../nacos/tcp-proxy.mjs'

/** A registry that can be made to fail. */
export interface Registry {
  readonly name: string
  /** `host:port` as clients are told. */
  readonly address: string
  /** Ends it and begins it anew, empty, after `downMs`. */
  restart(downMs: number): Promise<void>
  /** Connections stay up and nothing comes through, until the result is called. */
  partition(): () => void
  /** Subscribers get an empty list of services that have instances, once. */
  empty(services: readonly string[]): Promise<void>
  /** Subscribers get a list of a while ago, once; `undefined`: what a partition withholds is all that is stale. */
  readonly stale: ((services: readonly string[]) => void) | undefined
  close(): Promise<void>
}

/** Why a registry cannot be had here. */
export class NoRegistry extends Error {}

export async function startRegistry(kind: string): Promise<Registry> {
  return kind === 'dev' ? startDevServer() : startRealServer(kind === 'real' ? 'nacos3' : kind)
}

async function startDevServer(): Promise<Registry> {
  const server = await createNacosDevServer({ port: 0 }).start()
  const { faults } = server
  const push = (services: readonly string[], hosts: readonly object[]) => {
    for (const service of services) faults.pushStale(service, { hosts })
  }
  return {
    name: 'the in-memory Nacos',
    address: server.address,
    restart: downMs => faults.restart({ downMs }),
    partition: () => {
      const undo = faults.halfOpen()
      return () => {
        undo()
        faults.resetConnections()
      }
    },
    empty: async services => push(services, []),
    stale: services => push(services, [{ ip: '127.0.0.1', port: 9 }]),
    close: () => server.close(),
  }
}

interface RealServer {
  readonly version: string
  readonly grpc: string
  readonly pid: number
  stop(): Promise<void>
}

/**
 * A real Nacos behind a wire, with another one in reserve: a server takes longer to start than any client should wait, so
 * after a crash the one in reserve, just as empty, takes the address, and its successor starts meanwhile.
 */
async function startRealServer(kind: string): Promise<Registry> {
  const { startNacos } = (await import('../servers/nacos/start.mjs' as string)) as {
    startNacos(kind: string): Promise<RealServer>
  }
  const start = () => startNacos(kind).catch(() => startNacos(kind))
  let serving = await start().catch(cause => {
    // Where there is Java the server can be had, and what is wrong is a failure.
    if (spawnSync('java', ['-version']).status === 0) throw cause
    throw new NoRegistry(`no Java to run Nacos: ${(cause as Error).message}`, { cause })
  })
  let reserve = start()
  const wire = await startProxy(serving.grpc)
  const swap = async () => {
    const last = serving
    serving = await reserve
    wire.move(serving.grpc)
    return last
  }
  return {
    name: `Nacos ${serving.version}`,
    address: wire.address,
    async restart(downMs) {
      process.kill(serving.pid, 'SIGKILL')
      await new Promise(resolve => setTimeout(resolve, downMs))
      const last = await swap()
      reserve = start()
      reserve.catch(() => {})
      void last.stop()
    },
    partition() {
      wire.freeze(true)
      return () => {
        wire.freeze(false)
        wire.cut()
      }
    },
    // A server that knows nobody yet: clients find an empty list until all have registered there.
    async empty() {
      const last = await swap()
      wire.cut()
      reserve = Promise.resolve(last)
    },
    stale: undefined,
    async close() {
      await wire.close()
      await serving.stop()
      await reserve.then(server => server.stop()).catch(() => {})
    },
  }
}
