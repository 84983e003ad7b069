// Holds what arrived at the neighbours, and what A got, against what is right and against the same service on plain Node.

/** Of every request: the tag that belongs there, the right instance, once. */
export function judge({ requests, hits, answers, plain }) {
  const result = { ok: 0, wrong: 0, lost: 0, leaked: 0, doubled: 0, failed: 0, why: [], forms: {} }
  const byId = groupById(hits)
  for (const request of requests) {
    const mine = byId.get(request.id) ?? []
    const before = plain === undefined ? mine : (plain.byId.get(request.id) ?? [])
    const times = before.length
    const faults = sum(result)
    for (const hit of mine) judgeHit(request, hit, before[0]?.place === 'mock', result)
    if (mine.length > times) note(result, 'doubled', request, `${mine.length} calls instead of ${times}`)
    const status = answers.get(request.id)?.status ?? 0
    // A service that fails before it calls works nowhere.
    const broken = mine.length === 0 && status >= 500
    if (status === 0 || mine.length < times || broken) {
      note(
        result,
        'failed',
        request,
        `${mine.length} calls of ${times}, ${answers.get(request.id)?.body ?? 'no answer'}`,
      )
    } else if (faults === sum(result)) result.ok++
  }
  const strangers = [...byId.keys()].filter(id => !requests.some(request => request.id === id))
  if (strangers.length > 0) result.why.push(`calls of no request: ${strangers.join(' ')}`)
  const forms = Object.entries(result.forms)
  if (forms.length > 0) result.why.push(`of these: ${forms.map(([form, count]) => `${form} ${count}`).join(', ')}`)
  return result
}

const sum = ({ wrong, lost, leaked, doubled, failed }) => wrong + lost + leaked + doubled + failed

function judgeHit(request, hit, mocked, result) {
  const tags = valuesOf(hit.raw, 'x-mse-tag')
  if (hit.place === 'third' || (mocked && request.to === 'third')) {
    if (tags.length > 0) note(result, 'leaked', request, `the third party got ${tags}`)
    return
  }
  if (tags.length > 1) return note(result, 'doubled', request, `${tags.length} tags: ${tags.join(' and ')}`)
  const [tag = ''] = tags
  // A mock stands for every instance.
  const right = mocked ? 'mock' : hit.place === 'peer' ? 'peer' : request.lane || 'base'
  if (mocked && hit.place !== 'mock') return note(result, 'failed', request, `went past its mock to ${hit.place}`)
  if (tag === request.expected && hit.place === right) return
  const seen = `${hit.path}: ${tag === '' ? 'no tag' : tag} at ${hit.place}, expected ${request.expected || 'no tag'} at ${right}`
  const lost = tag === '' && (hit.place === 'base' || hit.place === right)
  const kind = lost ? 'lost' : 'wrong'
  note(result, kind, request, seen)
  const form = /^\/id-\d+\/([^?]+)/.exec(hit.path)?.[1]
  if (form !== undefined) result.forms[`${form} ${kind}`] = (result.forms[`${form} ${kind}`] ?? 0) + 1
}

function note(result, kind, request, text) {
  result[kind]++
  if (result.why.length < 4) result.why.push(`${kind}: request ${request.id} to ${request.to}: ${text}`)
}

/** What differs from the same service on plain Node, tags apart. */
export function differences(row, own, plain) {
  const found = []
  const ignored = new Set(['x-mse-tag', 'date', ...(row.ignore ?? [])])
  const traced = new Set([...ignored, 'traceparent', 'tracestate'])
  const say = (what, before, after) => {
    if (before !== after) found.push(`${what}: ${shorten(before, after)} -> ${shorten(after, before)}`)
  }
  for (const [id, before] of plain.answers) {
    const after = own.answers.get(id) ?? { status: 0, headers: [], body: 'none' }
    say(`answer ${id}, status`, before.status, after.status)
    say(`answer ${id}, headers`, headText(before.headers, ignored, plain), headText(after.headers, ignored, own))
    say(`answer ${id}, body`, text(row, before.body, plain), text(row, after.body, own))
  }
  for (const [id, calls] of plain.byId) {
    const before = inOrder(row, calls)
    const after = inOrder(row, own.byId.get(id) ?? [])
    for (const [index, hit] of before.entries()) {
      const other = after[index]
      // A call too few has been counted as failed.
      if (other === undefined) continue
      say(`call ${id}, line`, `${hit.method} ${hit.path}`, `${other.method} ${other.path}`)
      say(`call ${id}, headers`, headText(hit.raw, traced, plain), headText(other.raw, traced, own))
      say(`call ${id}, body`, text(row, hit.body, plain), text(row, other.body, own))
    }
  }
  for (const id of new Set([...Object.keys(plain.notes), ...Object.keys(own.notes)])) {
    say(`events ${id}`, String(plain.notes[id] ?? ''), String(own.notes[id] ?? ''))
  }
  if (plain.end !== undefined && own.end !== undefined) say('end of the process', plain.end, own.end)
  return found
}

/** Calls that a request makes at the same time arrive in any order. */
function inOrder(row, calls) {
  return row.concurrent ? calls.toSorted((one, other) => (one.path < other.path ? -1 : 1)) : calls
}

function headText(raw, ignored, { port }) {
  const lines = []
  for (let index = 0; index < raw.length; index += 2) {
    if (!ignored.has(raw[index].toLowerCase())) lines.push(`${raw[index]}: ${raw[index + 1]}`)
  }
  return lines.join('\n').replaceAll(String(port), 'PORT')
}

function text(row, body, { port }) {
  return (row.normalise?.(body) ?? body).replaceAll(String(port), 'PORT')
}

/** The part of a text around its first difference. */
function shorten(value, other) {
  const text = String(value)
  let at = 0
  while (at < text.length && text[at] === String(other)[at]) at++
  return JSON.stringify(text.slice(Math.max(0, at - 20), at + 60))
}

export function groupById(hits) {
  const byId = new Map()
  for (const hit of hits) {
    const known = byId.get(hit.id)
    if (known === undefined) byId.set(hit.id, [hit])
    else known.push(hit)
  }
  return byId
}

export function valuesOf(raw, name) {
  return raw.filter((_, index) => index % 2 === 1 && raw[index - 1].toLowerCase() === name)
}
