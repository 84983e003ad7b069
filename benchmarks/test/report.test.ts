import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Table } from '../src/case.js'
import { judge } from '../src/judge.js'
import { markdown, merge, type StoredTable, withResults } from '../src/report.js'

const bench = fileURLToPath(new URL('../bench.mjs', import.meta.url))

const table: Table = {
  name: 'area/operation',
  about: 'What is measured.',
  rows: [{ name: 'floor', floor: true }, { name: 'ours' }, { name: 'theirs', peer: true }],
  targets: [
    { row: 'ours', figure: 'ns', per: 'floor', atMost: 2 },
    { row: 'ours', figure: 'ns', atMost: 10 },
    { row: 'ours', figure: 'bytes', atMost: 0 },
  ],
}

function stored(node: string, ours: number): StoredTable {
  const setting = { node, v8: '', machine: 'm', commit: 'c', load: 0, date: 'd', text: `Node ${node}` }
  const rounds = (ns: number) => [1, 2, 3].map(turn => ({ ns: ns * turn, bytes: 0 }))
  return {
    name: table.name,
    setting,
    rows: [
      { name: 'floor', rounds: rounds(10) },
      { name: 'ours', rounds: rounds(ours) },
      { name: 'theirs', rounds: [], skipped: 'not here' },
    ],
  }
}

t.test('a report says of each target whether it is met, per Node', async t => {
  const text = markdown([stored('20.1.0', 15), stored('24.1.0', 25)], [table])
  t.match(text, '### area/operation')
  t.match(text, 'Node 20.1.0\n')
  t.match(text, '| floor (floor) | 20.0 (10.0..30.0) | 0 | 1.00 |')
  t.match(text, '| ours | 30.0 (15.0..45.0) | 0 | 1.50 |')
  t.match(text, '| theirs (peer) | not here |')
  t.match(text, '- met: ours: ns / floor <= 2, is 1.50')
  t.match(text, '- **missed**: ours: ns / floor <= 2, is 2.50')
  t.match(text, '- **missed**: ours: ns <= 10, is 30.0 (15.0..45.0)')
  t.match(text, '3 of 6 targets met.')
})

t.test('a table measured again takes the place of the old one on the same Node, and of no other', async t => {
  const [a, b] = merge([stored('24.1.0', 1), stored('20.1.0', 2)], [stored('20.2.0', 3)])
  t.strictSame([a?.setting.node, b?.setting.node], ['20.2.0', '24.1.0'])
})

t.test('a row that exists no more, or a figure that is none, is no error', async t => {
  const old = stored('20.1.0', 1)
  const rows = [...old.rows, { name: 'gone', rounds: [] }, { name: 'ours', rounds: [{ ns: null as never }] }]
  t.match(markdown([{ ...old, rows }], [table]), '### area/operation')
  t.match(markdown([old], []), '0 of 0 targets met.')
})

t.test('only what stands between the markers is replaced', async t => {
  const readme = 'above\n<!-- results: begin -->\nold\n<!-- results: end -->\nbelow\n'
  t.equal(withResults(readme, 'new'), 'above\n<!-- results: begin -->\nnew\n<!-- results: end -->\nbelow\n')
  t.throws(() => withResults('no markers', 'new'), { message: /no markers/ })
})

t.test('a limit inside the spread of the rounds is called close', async t => {
  const row = table.rows[1]!
  const result = (...ns: number[]) => ({ table, rows: [{ row, rounds: ns.map(one => ({ ns: one, bytes: 0 })) }] })
  const verdictOf = (...ns: number[]) => judge(result(...ns), 24).find(({ target }) => target.per === undefined)
  t.match(verdictOf(9, 9, 11), { met: true, close: true })
  t.match(verdictOf(11, 12, 11), { met: false, close: false })
  t.match(verdictOf(10, 10, 10), { met: true, close: false })
})

t.test('a target of some versions of Node is judged on these alone', async t => {
  const row = table.rows[1]!
  const targets = [{ row: 'ours', figure: 'ns', atMost: 10, nodes: { from: 22, below: 24 } }]
  const result = { table: { ...table, targets }, rows: [{ row, rounds: [{ ns: 9 }] }] }
  const counts = [20, 22, 23, 24].map(major => judge(result, major).length)
  t.same(counts, [0, 1, 1, 0])
})

t.test('the last line counts the targets, and a missed one makes the exit code 1', async t => {
  const args = [bench, '--no-build', '--rounds', '1', 'scale/']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  t.match(stdout.trim().split('\n').at(-1), /^3 of 3 targets met$/)
})

const git = fileURLToPath(new URL('../../.git', import.meta.url))
t.test('a ref is compared with what is here', { skip: !existsSync(git) && 'no repository' }, async t => {
  const args = [bench, '--no-build', '--compare', 'HEAD', '--rounds', '1', 'core/run/untagged$']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  t.match(stdout, /case +figure +HEAD +here +here \/ there/)
  t.match(stdout, /untagged +bytes +0/)
})
