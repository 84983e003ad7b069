// The load: bare node:http, no lane of its own, many requests at a time, each with another tag than its neighbours.
import { Agent, request } from 'node:http'
import { type Soaked, tally } from './servers.js'

/** What came of a load. */
export interface LoadResult {
  answered: number
  aborted: number
  /** Answered 500 because the handler threw. */
  thrown: number
  failed: number
  readonly bleeds: number
  readonly checks: number
  readonly examples: readonly string[]
}

const AT_A_TIME = 64
const LANES = [undefined, 'gray', 'blue', 'gray-2,gray', undefined, 'constructor', 'base', 'a', 'b', 'c', undefined]

/** Sends so many requests to the servers in turn. Resolves when all have ended, one way or another. */
export async function startLoad(servers: readonly Soaked[], count: number): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME })
  const looksBefore = tally.looks
  const bleedsBefore = tally.bleeds
  tally.examples.length = 0
  const result = { answered: 0, aborted: 0, thrown: 0, failed: 0 }
  let next = 0
  let wrong = 0
  const examples: string[] = []

  async function send(id: number): Promise<void> {
    const lane = LANES[id % LANES.length]
    const server = servers[id % servers.length]!
    const post = id % 2 === 0
    const aborts = id % 17 === 0
    const headers: Record<string, string> = { 'x-id': String(id), 'x-sent': lane ?? '' }
    if (lane !== undefined) headers['x-mse-tag'] = lane
    if (post) headers['content-type'] = 'text/plain'
    await new Promise<void>(resolve => {
      const req = request(
        { port: server.port, host: '127.0.0.1', path: '/', method: post ? 'POST' : 'GET', headers, agent },
        res => {
          let text = ''
          res.on('data', chunk => {
            text += chunk
          })
          res.on('end', () => {
            result.answered++
            if (res.statusCode === 500 && text.includes(`thrown by ${id}`)) result.thrown++
            else if (res.statusCode !== 200) {
              result.failed++
              examples.push(`${server.name} ${res.statusCode}: ${text.slice(0, 200)}`)
            } else if (!text.startsWith(`${id} ${lane ?? ''} `)) {
              wrong++
              examples.push(`${server.name} answered "${text}" to ${id} of ${lane}`)
            }
            resolve()
          })
          res.on('error', gone)
        },
      )
      let over = false
      function gone(error: Error): void {
        if (over) return
        over = true
        result.aborted++
        if (!aborts) {
          result.failed++
          examples.push(`${server.name}: ${error.message}`)
        }
        resolve()
      }
      req.on('error', gone)
      if (post) req.write('x'.repeat(id % 5000))
      if (aborts) setTimeout(() => req.destroy(new Error('given up')), id % 3)
      // The second half of a body comes late, so that requests interleave.
      if (post && id % 6 === 0) setTimeout(() => req.end('y'), 2)
      else req.end()
    })
  }

  async function work(): Promise<void> {
    while (next < count) await send(next++)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  agent.destroy()
  // Handlers of aborted requests go on for a moment.
  await new Promise(resolve => setTimeout(resolve, 200))
  return {
    ...result,
    bleeds: tally.bleeds - bleedsBefore + wrong,
    checks: tally.looks - looksBefore,
    examples: [...tally.examples, ...examples].slice(0, 10),
  }
}
