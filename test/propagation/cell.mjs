// One cell: a front service with an ingress and an egress, under a condition.
import { placeOf } from './backend.mjs'
import { CONDITIONS } from './conditions.mjs'
import { generate } from './generator.mjs'

let number = 0
const next = () => number++

/** Runs a front service for as many requests and counts what came of them. */
export async function runCell({ start, backend, ingress, egress, condition, count }) {
  backend.forget()
  const front = await start({ backend, ingress, egress, condition })
  try {
    const results = await generate(front, count, CONDITIONS[condition], next)
    return judge(results, backend, condition)
  } finally {
    await front.close()
  }
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
