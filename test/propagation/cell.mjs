// One cell: a front service with an ingress and an egress, under a condition.
import { placeOf } from './backend.mjs'
import { CONDITIONS } from './conditions.mjs'
import { EGRESSES } from './egresses.mjs'
import { generate } from './generator.mjs'
import { INGRESSES } from './ingresses.mjs'

let number = 0
const next = () => number++

/** Runs a front service for as many requests and counts what came of them. */
export async function runCell({ wiring, backend, ingress, egress, condition, count }) {
  const rules = CONDITIONS[condition]
  backend.forget()
  const client = EGRESSES[egress](wiring, backend, condition)
  const queue = rules.queued ? createQueue(wiring.bind) : undefined
  let calls = 0

  const callOut = async req => {
    await new Promise(resolve => setTimeout(resolve, Math.random() * 3))
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
  try {
    await wiring.ready()
    const results = await generate(front, count, rules, next)
    return judge(results, backend, condition)
  } finally {
    await front.close()
    await client.close()
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
  setTimeout(() => controller.abort(), Math.random() * 3)
}

function judge(results, backend, condition) {
  const counts = { sent: results.length, wrong: 0, lost: 0, doubled: 0, failed: 0, why: undefined }
  const note = (key, why) => {
    counts[key]++
    counts.why ??= why
  }
  const seldom = condition === 'cache' || condition === 'deduplicate'
  for (const { id, expected, away, status, text } of results) {
    const outside = away || condition === 'cross-host redirect'
    const wanted = outside ? '200 third' : `200 ${placeOf(expected)}`
    if (status !== 200 || !text.startsWith('200 ')) note('failed', `answer ${status} ${text}`)
    else if (text !== wanted) note('wrong', `answer "${text}" instead of "${wanted}"`)
    const hits = backend.hits.get(id) ?? []
    if (hits.length === 0 && !seldom && status === 200) note('failed', 'no service saw the request')
    for (const { place, tags } of hits) {
      const right = place === 'third' ? '' : expected
      if (tags.length > 1) note('doubled', `${tags.length} tags at ${place}`)
      else if (tags.length === 0 && right !== '') note('lost', `no tag at ${place} instead of "${right}"`)
      else if ((tags[0] ?? '') !== right) note('wrong', `tag "${tags[0]}" at ${place} instead of "${right}"`)
      else if (place !== 'third' && place !== placeOf(expected)) note('wrong', `"${expected}" at ${place}`)
    }
  }
  if (backend.proxied.svc > 0) note('wrong', `${backend.proxied.svc} requests to the service went to the proxy`)
  return counts
}
