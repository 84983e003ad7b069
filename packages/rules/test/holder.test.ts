import type { LanewayError } from '@laneway/core'
import t from 'tap'
import { createRulesHolder, type RulesRequest } from '../src/index.js'

const document = (lane: string) => `version: 1\nrules:\n  - { name: r, lane: ${lane} }\n`
const request: RulesRequest = { headers: {}, url: '/' }

function holder() {
  const reloads: number[] = []
  const problems: LanewayError[] = []
  const rules = createRulesHolder({
    source: 'lanes.yaml',
    onReload: (_, generation) => reloads.push(generation),
    onProblem: error => problems.push(error),
  })
  return { rules, reloads, problems, laneOf: rules.laneOf }
}

t.test('a holder without rules colours nothing', async t => {
  const { rules, laneOf } = holder()
  t.equal(laneOf(request), undefined)
  t.equal(rules.decide(request), undefined)
  t.equal(rules.explain(request).text, 'no rules are loaded')
  t.match(rules, { rules: undefined, generation: 0, problem: undefined })
})

t.test('a new document takes the place of the old one, under the same functions', async t => {
  const { rules, reloads, laneOf } = holder()
  const { replace, decide, explain } = rules
  t.equal(replace(document('gray')), true)
  t.equal(laneOf(request)?.header, 'gray')
  t.equal(replace(document('blue')), true)
  t.equal(laneOf(request)?.header, 'blue')
  t.equal(decide(request)?.lane?.header, 'blue')
  t.equal(explain(request).text, 'r: lane blue, every request')
  t.same(reloads, [1, 2])
  t.equal(replace('version: 1\nrules: []\n'), true, 'to colour nothing is said, not left out')
  t.equal(laneOf(request), undefined)
})

t.test('a bad document keeps the last good one and says what is wrong, with line and column', async t => {
  const { rules, problems, reloads, laneOf } = holder()
  rules.replace(document('gray'))
  const bad: unknown[] = [
    document('"g ray"'),
    'version: 1\nrules: [',
    '',
    undefined,
    null,
    Buffer.from(document('blue')),
  ]
  for (const text of bad) {
    t.equal(rules.replace(text), false)
    t.equal(laneOf(request)?.header, 'gray')
    t.equal(rules.problem, problems.at(-1))
  }
  t.equal(problems.length, bad.length)
  t.match(problems[0], {
    code: 'LANEWAY_INVALID_RULES',
    message: 'LANEWAY_INVALID_RULES: lanes.yaml:3:16: rules[0].lane is no lane',
    cause: [{ line: 3, column: 16, at: 'rules[0].lane' }],
  })
  t.same(reloads, [1])
  t.match(rules, { generation: 1 })
})

t.test('the same text again is neither loaded nor reported again', async t => {
  const { rules, problems, reloads } = holder()
  rules.replace(document('gray'))
  t.equal(rules.replace(document('gray')), true)
  t.equal(rules.replace('bad'), false)
  t.equal(rules.replace('bad'), false)
  t.equal(problems.length, 1)
  t.equal(rules.replace(document('gray')), true, 'back to the good one')
  t.equal(rules.problem, undefined)
  t.equal(rules.replace('bad'), false)
  t.equal(problems.length, 2)
  t.same(reloads, [1])
})

t.test('by default a refused document is a process warning', async t => {
  const warned = new Promise<Error>(resolve => process.once('warning', resolve))
  createRulesHolder().replace('')
  t.match(await warned, {
    name: 'LanewayWarning',
    message: /colouring rules refused, the last good ones stay: LANEWAY_INVALID_RULES: rules: the document is empty/,
  })
})

t.test('a listener that throws is an uncaught exception, not a bad document', async t => {
  const uncaught = new Promise<unknown>(resolve => {
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', error => {
      for (const listener of listeners) process.on('uncaughtException', listener)
      resolve(error)
    })
  })
  const thrown = new Error('from the listener')
  const rules = createRulesHolder({
    onReload: () => {
      throw thrown
    },
  })
  t.equal(rules.replace(document('gray')), true)
  t.equal(rules.laneOf(request)?.header, 'gray')
  t.equal(await uncaught, thrown)
})

t.test('wrong options are refused', async t => {
  t.throws(() => createRulesHolder({ onRelaod: () => {} } as object), { message: /did you mean/ })
  t.throws(() => createRulesHolder({ onReload: 'x' } as never), { code: 'LANEWAY_INVALID_OPTION' })
})
