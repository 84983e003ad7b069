// A: sends the 40 requests of a row to the service under test, in two lanes and none, in turn and many at a time.
import http from 'node:http'
import { LANES } from './neighbours.mjs'

export const COUNT = 40
const IN_FLIGHT = 20

/** Of ten requests six go to the service, two to a host in scope that is no service, two to a third party. */
const TARGETS = ['service', 'service', 'peer', 'service', 'service', 'third', 'service', 'peer', 'service', 'third']

/** The requests of a row. A tag of its own in front of the lane: what another request of the same lane sent is wrong, too. */
export function requestsOf(row) {
  const targets = row.targets ?? ['service', 'peer', 'third']
  return Array.from({ length: COUNT }, (_, number) => {
    const lane = number % 3 === 0 ? '' : LANES[number % 3 === 1 ? 0 : 1]
    const wanted = TARGETS[number % TARGETS.length]
    const to = targets.includes(wanted) ? wanted : targets[number % targets.length]
    const tag = lane === '' ? '' : `r${number},${lane}`
    const own = row.request?.(number) ?? {}
    return {
      id: String(number),
      // A message carries no lane, whoever sends it.
      lane: row.laneless ? '' : lane,
      expected: row.laneless ? '' : tag,
      to,
      method: own.method ?? 'GET',
      path: own.path ?? `/id-${number}`,
      headers: {
        'x-id': String(number),
        'x-to': to,
        ...(tag === '' ? {} : { 'x-mse-tag': tag }),
        ...own.headers,
      },
      body: own.body,
    }
  })
}

/** @returns {Promise<Map<string, { status: number, headers: string[], body: string }>>} by id; status 0 is an error */
export async function drive(row, requests, port) {
  const answers = new Map()
  const agent = new http.Agent({ keepAlive: true, maxSockets: IN_FLIGHT })
  const send = row.drive ?? overHttp
  let index = 0
  const worker = async () => {
    while (index < requests.length) {
      const request = requests[index++]
      answers.set(request.id, await send({ ...request, port, url: `http://127.0.0.1:${port}`, agent }))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  agent.destroy()
  return answers
}

function overHttp({ port, method, path, headers, body, agent }) {
  return new Promise(resolve => {
    const failed = error => resolve({ status: 0, headers: [], body: `${error.code ?? error.message}` })
    const req = http.request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: 20_000 }, res => {
      const chunks = []
      res.on('data', chunk => chunks.push(chunk))
      res.on('error', failed)
      res.on('end', () => {
        resolve({ status: res.statusCode, headers: res.rawHeaders, body: String(Buffer.concat(chunks)) })
      })
    })
    req.on('timeout', () => req.destroy(new Error('no answer in 20 s')))
    req.on('error', failed)
    req.end(body)
  })
}
