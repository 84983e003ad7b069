// The constant load, in a process of its own and without Laneway: half of it of the one user, the rest of a thousand others,
// a tenth POST with a body.
import { Agent, request } from 'node:http'

/** One request as the generator saw it. */
export interface Sample {
  readonly sentAt: number
  readonly doneAt: number
  /** Of the user whom the first batch is for. */
  readonly chosen: boolean
  /** The user. */
  readonly user: string
  /** 0 when no response came. */
  readonly status: number
  readonly text: string
  /** The request asked for its path. */
  readonly traced?: boolean
  /** What came in `x-laneway-path`. */
  readonly path?: string | undefined
}

/** Every so many ask for their path: no divisor of the numbers below, so all kinds of requests do. */
const TRACED = 7

const [, , url = '', rate = '', token = ''] = process.argv
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const everyMs = 1000 / Number(rate)
const body = 'x'.repeat(2048)
let samples: Sample[] = []
let count = 0
let inFlight = 0
let stopping = false
const started = performance.now()

function send(): void {
  // Half of those with a last digit of 0, to which C is busy, too.
  const chosen = (count + Math.floor(count / 10)) % 2 === 1
  const user = chosen ? 'xiaoming' : `user-${count % 1000}`
  const post = count % 10 === 4 || count % 20 === 9
  const headers: Record<string, string> = {
    'user-agent': chosen ? 'xiaoming' : 'load',
    'x-user-id': user,
    'x-request-id': String(count),
  }
  const traced = token !== '' && count % TRACED === 0
  if (traced) headers['x-laneway-trace'] = token
  if (post) headers['content-length'] = String(body.length)
  count++
  inFlight++
  let sentAt = Date.now()
  let finished = false
  let path: string | undefined
  const finish = (status: number, text: string) => {
    if (finished) return
    finished = true
    inFlight--
    samples.push({ sentAt, doneAt: Date.now(), chosen, user, status, text, traced, path })
  }
  const req = request(url, { method: post ? 'POST' : 'GET', headers, agent, timeout: 10_000 }, res => {
    let text = ''
    path = res.headers['x-laneway-path'] as string | undefined
    res.setEncoding('utf8')
    res.on('data', chunk => (text += chunk))
    res.on('end', () => finish(res.statusCode ?? 0, text))
    res.on('error', error => finish(0, error.message))
  })
  // Those that wait for a connection of the generator's own have not been sent.
  req.on('socket', () => {
    sentAt = Date.now()
  })
  req.on('timeout', () => req.destroy(new Error('no answer in 10 s')))
  req.on('error', error => finish(0, error.message))
  req.end(post ? body : undefined)
}

const pace = setInterval(() => {
  // Open loop: as many as the clock asks for, whatever the answers do; bounded, should the chain stand still.
  while (!stopping && inFlight < 2000 && count * everyMs < performance.now() - started) send()
}, 2)
const report = setInterval(() => {
  process.send?.(samples)
  samples = []
  if (!stopping || inFlight > 0) return
  clearInterval(pace)
  clearInterval(report)
  agent.destroy()
  process.disconnect?.()
}, 50)
// The generator ends with the driver, however that ends, and never outlives ten minutes.
process.on('message', () => {
  stopping = true
})
process.on('disconnect', () => process.exit(0))
setTimeout(() => process.exit(1), 600_000).unref()
