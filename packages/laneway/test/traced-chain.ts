import { createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { createGateway } from '@laneway/gateway'
import { LaneAgent, laneHandler } from '@laneway/http'

/** A gateway and the chain behind it: A in gray calls B, which has no gray instance and calls C, and a host outside. */
export async function startChain(): Promise<{ url: string; masked(output: string): string; close(): Promise<void> }> {
  const servers: Server[] = []
  const listen = async (name: string, tag: string | undefined, handler: RequestListener): Promise<number> => {
    const options = { trace: { name }, ...(tag !== undefined && { tag }) }
    const server = createServer(laneHandler(handler, options))
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  let calls = 0
  // Every fourth time it is busy, so that many requests do not all go the same way.
  const c = await listen('sc-C', 'gray', (_, response) => response.writeHead(++calls % 4 === 0 ? 503 : 200).end())
  const b = await listen('sc-B', undefined, async (_, response) => {
    await call('http://sc-c/')
    response.end()
  })
  const third = await listen('third party', undefined, (_, response) => response.end())
  const a = await listen('sc-A', 'gray', async (_, response) => {
    await call('http://sc-b/')
    await call(`http://api.example.com:${third}/`)
    response.end()
  })
  const endpoint = (port: number, ...tags: string[]) => ({ host: '127.0.0.1', port, tags })
  const resolver = createLaneResolver({
    sources: [
      createStaticSource({ 'sc-a': [endpoint(a, 'gray')], 'sc-b': [endpoint(b)], 'sc-c': [endpoint(c, 'gray')] }),
    ],
    services: ['sc-a', 'sc-b', 'sc-c'],
  })
  const lookup = (_: string, __: object, done: (...found: unknown[]) => void) =>
    done(null, [{ address: '127.0.0.1', family: 4 }])
  const agent = new LaneAgent({ resolver, warn() {} }, { lookup } as object)
  const call = (url: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      get(url, { agent }, (response: IncomingMessage) => response.resume().on('end', resolve)).on('error', reject)
    })
  const gateway = await createGateway({
    resolver,
    routes: [{ path: { prefix: '/' }, service: 'sc-a' }],
    rules: {
      version: 1,
      rules: [
        { name: 'tester', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray', trace: true },
      ],
    },
    trace: { addresses: true },
    listeners: [{ host: '127.0.0.1' }],
  })
  await gateway.listen()
  const names = new Map([a, b, c].map((port, index) => [`127.0.0.1:${port}`, `10.1.0.1${index}:30080`]))
  const url = `http://127.0.0.1:${gateway.address().port}/a`
  return {
    url,
    masked(output) {
      let text = output.replaceAll(url, 'http://localhost:8080/a')
      for (const [address, name] of names) text = text.replaceAll(address, name.padEnd(address.length))
      const times = [14, 8, 3, 5]
      return text.replace(/ +\d+ ms$/gm, () => `${String(times.shift() ?? 1).padStart(4)} ms`)
    },
    async close() {
      await gateway.close()
      agent.destroy()
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}
