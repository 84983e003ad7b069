import { LanewayError } from '@laneway/core'
import {
  callback,
  flag,
  formatPath,
  milliseconds,
  nearest,
  nested,
  numeric,
  OptionPlace,
  type OptionTable,
  oneOf,
  optional,
  port,
  readOptions,
  text,
  texts,
  unchecked,
  whole,
} from '@laneway/core/internal'
import t from 'tap'

interface Example {
  waitMs?: number
  share?: number
  turns?: number
  port?: number
  loud?: boolean
  name?: string
  hosts?: readonly string[]
  mode?: 'base' | 'fail'
  warn?: (message: string) => void
  inner?: { delayMs?: number }
  anything?: unknown
}

const TABLE = {
  waitMs: milliseconds(5000, 1),
  share: numeric(0.5, 0, 1),
  turns: whole(undefined, 1, 100),
  port: port(undefined),
  loud: flag(false),
  name: text(undefined),
  hosts: texts(),
  mode: oneOf(['base', 'fail'], 'base'),
  warn: callback<(message: string) => void>(),
  inner: nested({ delayMs: milliseconds(100) }),
  anything: unchecked(),
} satisfies OptionTable<Example>

const read = (input: unknown) => readOptions('example', input as Example, TABLE)

t.test('what is left out has its default, null included, and the result is a new frozen object', async t => {
  const input = { hosts: ['a', 'b', 'c'], waitMs: null }
  const values = read(input)
  t.strictSame(values, {
    waitMs: 5000,
    share: 0.5,
    turns: undefined,
    port: undefined,
    loud: false,
    name: undefined,
    hosts: ['a', 'b', 'c'],
    mode: 'base',
    warn: undefined,
    inner: { delayMs: 100 },
    anything: undefined,
  })
  t.ok(Object.isFrozen(values) && Object.isFrozen(values.hosts))
  t.not(values.hosts, input.hosts)
})

const REFUSED: [unknown, string, readonly (string | number)[]][] = [
  [undefined, 'example takes an options object, received undefined', []],
  [[], 'example takes an options object, received []', []],
  [{ waitms: 1 }, 'example has no option "waitms", did you mean "waitMs"?', ['waitms']],
  [
    { zzzzzzzz: 1 },
    'example has no option "zzzzzzzz"; it has waitMs, share, turns, port, loud, name, hosts, mode, warn, inner, anything',
    ['zzzzzzzz'],
  ],
  [
    { inner: { delayMS: 1, x: 1 } },
    'example: inner has no option "delayMS", did you mean "delayMs"?',
    ['inner', 'delayMS'],
  ],
  [{ inner: 7 }, 'example: inner takes an options object, received 7', ['inner']],
  [{ waitMs: 0 }, 'example: waitMs is a number of milliseconds from 1 to 2147483647, received 0', ['waitMs']],
  [
    { waitMs: 2 ** 31 },
    'example: waitMs is a number of milliseconds from 1 to 2147483647, received 2147483648',
    ['waitMs'],
  ],
  [
    { waitMs: Number.NaN },
    'example: waitMs is a number of milliseconds from 1 to 2147483647, received NaN',
    ['waitMs'],
  ],
  [
    { waitMs: '5000' },
    'example: waitMs is a number of milliseconds from 1 to 2147483647, without quotes, received "5000"',
    ['waitMs'],
  ],
  [{ waitMs: '5s' }, 'example: waitMs is a number of milliseconds from 1 to 2147483647, received "5s"', ['waitMs']],
  [{ waitMs: '' }, 'example: waitMs is a number of milliseconds from 1 to 2147483647, received ""', ['waitMs']],
  [{ share: 1.01 }, 'example: share is a number from 0 to 1, received 1.01', ['share']],
  [{ share: Number.POSITIVE_INFINITY }, 'example: share is a number from 0 to 1, received Infinity', ['share']],
  [{ turns: 1.5 }, 'example: turns is a whole number from 1 to 100, received 1.5', ['turns']],
  [{ turns: 101 }, 'example: turns is a whole number from 1 to 100, received 101', ['turns']],
  [{ port: 0 }, 'example: port is a whole number from 1 to 65535, received 0', ['port']],
  [{ loud: 1 }, 'example: loud is true or false, received 1', ['loud']],
  [{ name: '' }, 'example: name is a text that is not empty, received ""', ['name']],
  [{ hosts: 'a,b' }, 'example: hosts is a list of texts, received "a,b"', ['hosts']],
  [{ hosts: ['a', 2, 'c'] }, 'example: hosts[1] is a text, received 2', ['hosts', 1]],
  [{ mode: 'bse' }, 'example: mode is one of "base", "fail", received "bse", did you mean "base"?', ['mode']],
  [{ warn: 'x' }, 'example: warn is a function, received "x"', ['warn']],
]

for (const [input, message, path] of REFUSED) {
  t.test(`refused: ${message}`, async t => {
    const error = t.throws(() => read(input), { code: 'LANEWAY_INVALID_OPTION' }) as unknown as LanewayError
    t.equal(error.text, message)
    t.equal(error.message, `LANEWAY_INVALID_OPTION: ${message}`)
    t.strictSame(error.path, path)
    t.ok(error.problem.length > 0 && !error.problem.startsWith('example'), 'the problem does not name the place')
  })
}

t.test('both ends of a range are accepted', async t => {
  for (const input of [
    { waitMs: 1 },
    { waitMs: 2 ** 31 - 1 },
    { share: 0 },
    { share: 1 },
    { turns: 100 },
    { port: 65_535 },
  ])
    t.match(read(input), input)
})

t.test('a collector gets every problem at once', async t => {
  const problems: LanewayError[] = []
  const input = { waitms: 1, loud: 'yes', hosts: [1], share: 0.25 } as unknown as Example
  const values = readOptions('example', input, TABLE, error => problems.push(error))
  t.strictSame(
    problems.map(({ path }) => formatPath(path)),
    ['waitms', 'loud', 'hosts[0]'],
  )
  t.equal(values.share, 0.25, 'the rest is read')
  t.equal(values.loud, undefined)
})

t.test('an optional option stays left out', async t => {
  const value = optional(milliseconds(7))
  t.equal(value(undefined, new OptionPlace('x')), undefined)
  t.throws(() => value('7', new OptionPlace('x', ['y'])), { code: 'LANEWAY_INVALID_OPTION' })
})

t.test('a path is written as code, and a place without an owner begins with it', async t => {
  t.equal(formatPath(['policies', 2, 'lane']), 'policies[2].lane')
  t.equal(formatPath(['aliases', 'pay.example', 'service']), 'aliases["pay.example"].service')
  t.equal(formatPath([]), '')
  t.equal(new OptionPlace('', ['policies', 0]).invalid('sets nothing').text, 'policies[0] sets nothing')
})

t.test('names on an input that come from its prototype are no options', async t => {
  const input = JSON.parse('{ "__proto__": { "loud": true } }')
  const error = t.throws(() => read(input)) as unknown as LanewayError
  t.strictSame(error.path, ['__proto__'])
})

t.test('the nearest word', async t => {
  t.equal(nearest('sevices', ['services', 'sources', 'suffixes']), 'services')
  t.equal(nearest('srevices', ['services', 'sources']), 'services')
  t.equal(nearest('xyz', ['services', 'sources']), undefined)
  t.equal(nearest('a'.repeat(101), ['a']), undefined)
})

t.test('a table must name every option', async t => {
  // @ts-expect-error anything is missing
  const table = { waitMs: milliseconds(1) } satisfies OptionTable<Pick<Example, 'waitMs' | 'anything'>>
  t.ok(table)
})

t.test('an error whose path is unknown has its message for a problem', async t => {
  const error = new LanewayError('LANEWAY_SOURCE', 'file x is gone')
  t.strictSame([error.problem, error.text, error.path], ['file x is gone', 'file x is gone', []])
  t.strictSame(Object.keys(error), ['code', 'name'], 'what Node prints behind the stack does not repeat the message')
})
