import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LanewayError } from '@laneway/core'
import t from 'tap'
import { type RulesWatch, type WatchRulesOptions, watchRules } from '../src/index.js'

const document = (lane: string) => `version: 1\nrules:\n  - { name: r, lane: ${lane} }\n`
const laneOf = (rules: RulesWatch): string | undefined => rules.laneOf({ headers: {} })?.header

function watch(t: { teardown(fn: () => unknown): void }, file: string, options: WatchRulesOptions = {}) {
  const problems: LanewayError[] = []
  const rules = watchRules(file, { intervalMs: 3_600_000, onProblem: error => problems.push(error), ...options })
  t.teardown(rules.close)
  return { rules, problems }
}

/** In one piece: a write that truncates first may be seen half done. */
function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}

/** The watch keeps no process alive, so the test does. */
function stayAlive(t: { teardown(fn: () => unknown): void }): void {
  const timer = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(timer))
}

t.test('a change of the file is found by itself', async t => {
  stayAlive(t)
  const dir = t.testdir({ 'lanes.yaml': document('gray') })
  const file = join(dir, 'lanes.yaml')
  const generations: ((generation: number) => void)[] = []
  const next = () => new Promise<number>(resolve => generations.push(resolve))
  const problems: LanewayError[] = []
  const refused: (() => void)[] = []
  const first = next()
  const { rules } = watch(t, file, {
    intervalMs: 100,
    onReload: (_, generation) => generations.shift()?.(generation),
    onProblem: error => {
      problems.push(error)
      refused.shift()?.()
    },
  })
  t.equal(await first, 1)
  t.equal(laneOf(rules), 'gray')

  const second = next()
  replaceFile(file, document('blue'))
  t.equal(await second, 2)
  t.equal(laneOf(rules), 'blue')

  const problem = new Promise<void>(resolve => refused.push(resolve))
  replaceFile(file, 'version: 1\nrules: 5\n')
  await problem
  t.match(problems.at(-1), { message: `LANEWAY_INVALID_RULES: ${file}:2:1: rules is a list, received 5` })
  t.equal(laneOf(rules), 'blue', 'the last good one stays')

  const gone = new Promise<void>(resolve => refused.push(resolve))
  rmSync(file)
  await gone
  t.match(problems.at(-1), { code: 'LANEWAY_SOURCE', message: /lanes\.yaml cannot be read: ENOENT/ })
  t.equal(rules.problem, problems.at(-1))
  t.equal(laneOf(rules), 'blue')

  const back = next()
  replaceFile(file, document('green'))
  t.equal(await back, 3)
  t.equal(laneOf(rules), 'green')
  t.equal(rules.problem, undefined)
})

t.test('a swapped symbolic link is a change, as under a ConfigMap', async t => {
  stayAlive(t)
  const dir = t.testdir({ one: { 'lanes.yaml': document('gray') }, two: { 'lanes.yaml': document('blue') } })
  symlinkSync('one', join(dir, '..data'))
  symlinkSync(join('..data', 'lanes.yaml'), join(dir, 'lanes.yaml'))
  let reloaded: () => void = () => {}
  const { rules } = watch(t, join(dir, 'lanes.yaml'), { intervalMs: 100, onReload: () => reloaded() })
  t.equal(laneOf(rules), 'gray')
  const change = new Promise<void>(resolve => {
    reloaded = resolve
  })
  symlinkSync('two', join(dir, '..tmp'))
  renameSync(join(dir, '..tmp'), join(dir, '..data'))
  await change
  t.equal(laneOf(rules), 'blue')
})

t.test('a file that is missing or bad at the start is thrown', async t => {
  const dir = t.testdir({ 'bad.yaml': 'version: 1\nrules:\n  - name: 5\n' })
  t.throws(() => watchRules(join(dir, 'none.yaml')), { code: 'LANEWAY_SOURCE', message: /cannot be read: ENOENT/ })
  t.throws(() => watchRules(join(dir, 'bad.yaml')), {
    code: 'LANEWAY_INVALID_RULES',
    message: /bad\.yaml:3:5: rules\[0\]\.name/,
  })
})

t.test('reload reads at once, a lost file is reported once, and after close nothing is followed', async t => {
  const dir = t.testdir({ 'lanes.yaml': document('gray') })
  const file = join(dir, 'lanes.yaml')
  const { rules, problems } = watch(t, file)
  writeFileSync(file, document('blue'))
  t.equal(laneOf(rules), 'gray')
  t.equal(rules.reload(), true)
  t.equal(laneOf(rules), 'blue')
  rmSync(file)
  t.equal(rules.reload(), false)
  t.equal(rules.reload(), false)
  t.equal(problems.length, 1)
  rules.close()
  t.equal(laneOf(rules), 'blue')
  t.equal(rules.generation, 2)
  t.equal(rules.rules?.size, 1)
})

t.test('an interval outside its bounds is refused', async t => {
  const file = join(t.testdir({ 'lanes.yaml': document('gray') }), 'lanes.yaml')
  for (const intervalMs of [99, 3_600_001, Number.NaN, '500']) {
    t.throws(
      () => watchRules(file, { intervalMs: intervalMs as number }),
      { code: 'LANEWAY_INVALID_OPTION' },
      `${intervalMs}`,
    )
  }
  t.throws(() => watchRules(file, { intervall: 500 } as object), { message: /did you mean "intervalMs"/ })
})
