// Calls a lane with one endpoint while the process has no file descriptor left, and again when it has. Prints what came of it.
import { closeSync, openSync } from 'node:fs'
import http, { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { composeLane } from '@laneway/undici'
import { Agent, request } from 'undici'

async function instance(name: string): Promise<number> {
  const server = createServer((_request, response) => response.end(name)).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

function get(agent: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = http.get('http://sc-b/', { agent }, answer => {
      answer.once('data', data => resolve(String(data)))
    })
    call.on('error', reject)
  })
}

/** Everything that the process may open. */
function fill(): number[] {
  const open: number[] = []
  for (;;) {
    try {
      open.push(openSync('/dev/null', 'r'))
    } catch {
      return open
    }
  }
}

const source = createStaticSource({
  'sc-b': [
    { host: '127.0.0.1', port: await instance('gray'), tags: ['gray'] },
    { host: '127.0.0.1', port: await instance('base') },
  ],
})
const told: Record<string, { short: string[]; after: string; ejected: number }> = {}
for (const client of ['http', 'undici']) {
  const resolver = createLaneResolver({ sources: [source], services: ['sc-b'], env: {} })
  await resolver.ready('sc-b')
  const agent = new LaneAgent({ resolver, warn() {} })
  const dispatcher = composeLane(new Agent(), { resolver, warn() {} } as never) as never
  const call = async () =>
    client === 'http' ? get(agent) : (await request('http://sc-b/', { dispatcher })).body.text()
  const outcome = () => runInLane('gray', call).catch(error => String(error.code))
  const open = fill()
  const short: string[] = []
  for (let count = 0; count < 7; count++) short.push(await outcome())
  for (const one of open) closeSync(one)
  told[client] = { short, after: await outcome(), ejected: resolver.state('sc-b')?.lanes.get('gray')?.ejected ?? -1 }
}
console.log(JSON.stringify(told))
process.exit()
