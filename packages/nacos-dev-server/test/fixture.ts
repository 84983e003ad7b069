import type { Test } from 'tap'
import { createNacosDevServer, type NacosDevServer, type NacosDevServerOptions } from '../src/index.js'
import { Peer } from './peer.js'

/** A started server without delays on a free pair of ports, closed when the test ends. */
export async function startServer(t: Test, options: NacosDevServerOptions = {}): Promise<NacosDevServer> {
  const server = createNacosDevServer({ port: 0, pushDelayMs: 0, configDelayMs: 0, ...options })
  await server.start()
  t.teardown(() => server.close())
  return server
}

/** A peer with a session, closed when the test ends. */
export async function setUpPeer(t: Test, server: NacosDevServer, options?: { abilities?: boolean }): Promise<Peer> {
  const peer = await Peer.setUp(server.grpcAddress, options)
  t.teardown(() => peer.close())
  return peer
}
