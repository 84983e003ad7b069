import fc from 'fast-check'
import t from 'tap'
import { parseInTurns } from '../src/wire/parse-in-turns.js'

const LONG = 300_000

/** A body whose hosts repeat until it is long enough to be read in parts. */
function bodyOf(hosts: readonly unknown[], rest: object = {}): string {
  const one = JSON.stringify(hosts).length
  const many = Array.from({ length: Math.ceil(LONG / one) }, () => hosts).flat()
  return JSON.stringify({ requestId: '1', serviceInfo: { name: 'large', hosts: many, ...rest } })
}

const awkward = {
  ip: '10.0.0.1',
  metadata: { 'a"b': '\\"hosts\\":[', c: ']}],"{[', d: '\\', ü: '\u2028😀' },
  list: [[], [{}]],
}

t.test('what comes out is what JSON.parse makes of it', async t => {
  const bodies = [
    bodyOf([awkward]),
    bodyOf([awkward], { hosts2: [1], lastRefTime: 7 }),
    bodyOf([1, 'text', null, true, -0.5e3, [], {}]),
    bodyOf([awkward]).replaceAll('},{', '} , {'),
    bodyOf([awkward]).replace('"hosts":[', '"hosts" :\n['),
    JSON.stringify({ hosts: Array(9_000).fill(awkward), serviceInfo: { name: 'elsewhere' } }),
    JSON.stringify({ serviceInfo: { hosts: [], text: '"hosts":['.repeat(LONG / 9) } }),
    JSON.stringify({ serviceInfo: { hosts: Array(9_000).fill({ hosts: [1] }) } }),
    JSON.stringify({ content: 'x'.repeat(LONG) }),
    '{"serviceInfo":{"hosts":[]}}',
    '[]',
    'null',
  ]
  for (const body of bodies) t.strictSame(await parseInTurns(Buffer.from(body)), JSON.parse(body), body.slice(0, 80))
})

t.test('whatever the instances are', async t => {
  const instance = fc.record({ ip: fc.string({ unit: 'binary' }), metadata: fc.dictionary(fc.string(), fc.string()) })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(instance, fc.json().map(JSON.parse)), { minLength: 1 }), async hosts => {
      const body = bodyOf(hosts)
      t.strictSame(JSON.stringify(await parseInTurns(Buffer.from(body))), JSON.stringify(JSON.parse(body)))
    }),
    { numRuns: 30 },
  )
})

t.test('what JSON.parse refuses is refused', async t => {
  const body = bodyOf([awkward])
  const broken = [
    body.slice(0, -1),
    body.slice(0, LONG / 2),
    body.replace(/\}\]\}\}$/, '},]}}'),
    body.replace(/\}\]\}\}$/, '}}}}'),
    body.replace(/,/, ',,'),
    `${body}]`,
    body.replace('"lane', '"'),
    body.replaceAll('},{', '}{'),
  ].filter(text => text !== body)
  t.equal(broken.length, 7)
  for (const text of broken) {
    t.throws(() => JSON.parse(text))
    await t.rejects(parseInTurns(Buffer.from(text)), { name: 'SyntaxError' })
  }
  // A comma at the very end, just where a part ends.
  const [head = ''] = /^.*?"hosts":\[/.exec(body) ?? []
  const part = JSON.stringify('x'.repeat(LONG))
  await t.rejects(parseInTurns(Buffer.from(`${head}[${part}],]}}`)), { name: 'SyntaxError' })
})

t.test('other work gets its turn in between', async t => {
  const parsed = parseInTurns(Buffer.from(bodyOf([awkward])))
  let turns = 0
  let done = false
  const count = () => {
    turns++
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  await parsed
  done = true
  t.ok(turns >= 2, `${turns} turns`)
})
