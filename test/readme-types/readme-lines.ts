// What the READMEs tell users to write, compiled against each pair of `@types/node` and undici that users have.
import { createServer, get } from 'node:http'
import { currentLane, type Lane, runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { LaneAgent, LaneHttpsAgent, laneHandler, laneServer } from '@laneway/http'
import { composeLane, createLaneFetch } from '@laneway/undici'
import { Agent, fetch, interceptors, RetryAgent, request } from 'undici'

const resolver = createLaneResolver({
  sources: [createStaticSource({ 'sc-B': [{ host: '127.0.0.1', port: 1, tags: ['gray'] }] })],
  services: ['sc-B'],
})

export async function undiciLines(): Promise<void> {
  const dispatcher = composeLane(new Agent(), { resolver }, interceptors.retry())
  await fetch('http://sc-b/b', { dispatcher })
  await request('http://sc-b/b', { dispatcher: new RetryAgent(dispatcher) })
  // @ts-expect-error: the resolver is an object
  composeLane(new Agent(), { resolver: 'sc-B' })
}

export async function fetchLines(): Promise<string> {
  const laneFetch = createLaneFetch({ resolver })
  const response = await laneFetch('http://sc-b/b', { method: 'POST', body: 'x' })
  return response.text()
}

export function httpLines(): void {
  const agent = new LaneAgent({ resolver }, { maxSockets: 64 })
  get('http://sc-b/b', { agent }, res => res.resume())
  const secure: LaneHttpsAgent = new LaneHttpsAgent({ resolver })
  secure.destroy()
  createServer(
    laneHandler((req, res) => {
      const lane: Lane | undefined = req.lane
      res.end(lane?.header ?? currentLane()?.header)
    }),
  )
  laneServer(createServer(), { trust: 'edge' })
  runInLane('gray', () => {})
}
