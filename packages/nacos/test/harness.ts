import type { Test } from 'tap'
import { createNacosClient, type NacosClient, type NacosClientOptions } from '../src/index.js'
import { RawServer } from './raw-server.js'

export async function server(t: Test, set: Partial<RawServer> = {}): Promise<RawServer> {
  const made = Object.assign(new RawServer(), set)
  await made.start()
  t.teardown(() => made.stop())
  return made
}

export function client(
  t: Test,
  servers: RawServer | string | string[],
  options: Partial<NacosClientOptions> = {},
): NacosClient {
  const made = createNacosClient({
    servers: servers instanceof RawServer ? servers.address : servers,
    grpcPortOffset: 0,
    warn: () => {},
    ...options,
  })
  t.teardown(() => made.close())
  return made
}
