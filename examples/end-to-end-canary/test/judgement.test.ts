import t from 'tap'
import type { Instance } from '../src/fleet.js'
import { judge } from '../src/judgement.js'
import type { Sample } from '../src/load.js'
import type { Colouring } from '../src/play/entrance-rules.js'

const instance = (service: string, tag: string, port: number, upAt = 0) =>
  ({ service, tag, version: '1', address: `127.0.0.1:${port}`, upAt, leftAt: Infinity }) as Instance
const INSTANCES = [
  instance('a', '', 1),
  instance('b', '', 2),
  instance('c', '', 3),
  instance('a', 'gray', 11),
  instance('c', 'gray', 13),
]
const path = (tag: string, ...hops: string[]) =>
  hops.map(hop => `${hop.replace('@', '[127.0.0.1:')}]{${tag}|${tag}}`).join(' -> ')
const BASE = path('', 'A@1', 'B@2', 'C@3')
const GRAY = path('gray', 'Agray@11', 'B@2', 'Cgray@13')

const cases: [what: string, chosen: boolean, colouring: Colouring[], text: string, verdict: object][] = [
  ['untagged on base', false, ['matches'], BASE, { failed: false, wrong: false, late: false, tagged: false }],
  ['in the lane', true, ['matches'], GRAY, { failed: false, wrong: false, late: false, tagged: true }],
  ['tagged without a rule', true, ['nobody'], GRAY, { wrong: true }],
  ['somebody else tagged', false, ['matches'], GRAY, { wrong: true }],
  ['not tagged in spite of the rule', true, ['matches'], BASE, { wrong: true }],
  ['either way while the rule comes', true, ['nobody', 'matches'], BASE, { wrong: false }],
  ['anybody by share', false, ['share'], GRAY, { wrong: false, tagged: true }],
  ['untagged at gray', false, ['nobody'], path('', 'A@1', 'B@2', 'Cgray@13'), { wrong: true }],
  ['a tag lost', true, ['matches'], `${path('gray', 'Agray@11')} -> ${path('', 'B@2', 'C@3')}`, { wrong: true }],
  [
    'at base though gray is up',
    true,
    ['matches'],
    path('gray', 'Agray@11', 'B@2', 'C@3'),
    { late: true, wrong: false },
  ],
  ['at nobody', false, ['nobody'], path('', 'A@1', 'B@9', 'C@3'), { wrong: true }],
  ['two hops', false, ['nobody'], path('', 'A@1', 'B@2'), { failed: true }],
]

for (const [what, chosen, colouring, text, verdict] of cases) {
  t.test(what, async t => {
    const sample: Sample = { sentAt: 5000, doneAt: 5010, chosen, user: 'u', status: 200, text }
    t.match(judge(sample, INSTANCES, 'gray', new Set(colouring)), verdict)
  })
}

t.test('base is right as long as gray is not known', async t => {
  const sample: Sample = {
    sentAt: 5000,
    doneAt: 5010,
    chosen: true,
    user: 'u',
    status: 200,
    text: path('gray', 'A@1', 'B@2', 'C@3'),
  }
  const young = [instance('a', '', 1), instance('b', '', 2), instance('c', '', 3), instance('a', 'gray', 11, 4500)]
  t.equal(judge(sample, young, 'gray', new Set<Colouring>(['matches'])).late, false)
  t.equal(judge({ ...sample, sentAt: 5600, doneAt: 5610 }, young, 'gray', new Set<Colouring>(['matches'])).late, true)
})

t.test('an answer that is none has failed', async t => {
  const sample: Sample = { sentAt: 1, doneAt: 2, chosen: false, user: 'u', status: 502, text: 'x' }
  t.equal(judge(sample, INSTANCES, 'gray', new Set<Colouring>(['nobody'])).failed, true)
})
