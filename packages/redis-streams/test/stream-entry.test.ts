import t from 'tap'
import { parseEntries } from '../src/stream/stream-entry.js'

t.test('entries of a reply: deleted ones apart, values as text, repeated and hostile fields', async t => {
  const { entries, deleted } = parseEntries('s', [
    ['1700000000000-3', ['a', '1', 'a', '2', 'a', '3', Buffer.from('b'), Buffer.from('x')]],
    ['5-0', null],
    null,
    ['18446744073709551615-0', ['__proto__', 'y', 'hasOwnProperty', 'z']],
  ])
  t.strictSame(deleted, ['5-0'])
  t.strictSame(
    entries.map(({ id, ms }) => [id, ms]),
    [
      ['1700000000000-3', 1_700_000_000_000],
      ['18446744073709551615-0', 18_446_744_073_709_552_000],
    ],
  )
  t.strictSame({ ...entries[0]!.fields }, { a: ['1', '2', '3'], b: 'x' })
  t.equal(Object.getPrototypeOf(entries[1]!.fields), null)
  t.strictSame(Object.keys(entries[1]!.fields), ['__proto__', 'hasOwnProperty'])
  t.strictSame(parseEntries('s', null), { entries: [], deleted: [] })
})
