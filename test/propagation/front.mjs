// The front service of a cell: an ingress, an egress, and what stands between them.
import { CONDITIONS } from './conditions.mjs'
import { later, pause } from './delays.mjs'
import { EGRESSES } from './egresses.mjs'
import { INGRESSES } from './ingresses.mjs'

/** Starts it. `backend` needs `thirdPort`, `proxyUrl` and `grpcInstances` only. Returns
 * `{ port, http2, grpc, close }`. */
export async function startFront({ wiring, backend, ingress, egress, condition }) {
  const rules = CONDITIONS[condition]
  const client = EGRESSES[egress](wiring, backend, condition)
  const queue = rules.queued ? createQueue(wiring.bind) : undefined
  let calls = 0

  const callOut = async req => {
    await pause()
    const away = req.headers['x-away'] !== undefined
    const url = away ? `http://third.example:${backend.thirdPort}/done` : `http://svc${rules.path}`
    const headers = { 'x-id': req.headers['x-id'], 'x-expected': req.headers['x-expected'] }
    const tag = wiring.byHand?.()
    if (tag) headers['x-mse-tag'] = tag
    if (rules.aborted && calls++ % 4 === 0) abortOne(client, url)
    const { status, text } = await client.call(url, { headers })
    return `${status} ${text}`
  }

  const front = await INGRESSES[ingress](wiring, req => {
    if (rules.post) {
      return new Promise((resolve, reject) => {
        req.on('data', () => {})
        req.on('end', () => callOut(req).then(resolve, reject))
      })
    }
    return queue === undefined ? callOut(req) : queue(() => callOut(req))
  })
  await wiring.ready()
  return {
    port: front.port,
    http2: front.http2,
    grpc: front.grpc === true,
    async close() {
      await front.close()
      await client.close()
    },
  }
}

/** A limiter as p-limit writes it: whoever finishes calls the next in line, in its own context. */
function createQueue(bind) {
  const waiting = []
  let running = 0
  const step = () => {
    while (running < 8 && waiting.length > 0) {
      running++
      waiting.shift()()
    }
  }
  return fn =>
    new Promise((resolve, reject) => {
      const bound = bind(fn)
      waiting.push(() =>
        bound()
          .then(resolve, reject)
          .finally(() => {
            running--
            step()
          }),
      )
      step()
    })
}

function abortOne(client, url) {
  const controller = new AbortController()
  client.call(url, { headers: { 'x-id': 'aborted', 'x-expected': '' }, signal: controller.signal }).catch(() => {})
  later(() => controller.abort())
}
