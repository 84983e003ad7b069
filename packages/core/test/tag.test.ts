import { BASE_TAG, isTag, MAX_TAG_BYTES } from '@laneway/core'
import fc from 'fast-check'
import t from 'tap'

t.test('a tag is a Kubernetes label value', async t => {
  const rows: readonly (readonly [name: string, value: unknown, tag: boolean])[] = [
    ['one letter', 'g', true],
    ['one digit', '7', true],
    ['both cases', 'Gray', true],
    ['dots, hyphens and underscores inside', 'a.b-c_d', true],
    ['two separators in a row', 'a--b', true],
    ['63 characters', 'a'.repeat(63), true],
    ['64 characters', 'a'.repeat(64), false],
    ['empty', '', false],
    ['a space', ' ', false],
    ['a space at the end', 'gray ', false],
    ['a line feed at the end', 'gray\n', false],
    ['a hyphen at the start', '-gray', false],
    ['a hyphen at the end', 'gray-', false],
    ['a dot at the start', '.gray', false],
    ['a dot at the end', 'gray.', false],
    ['an underscore at the start', '_gray', false],
    ['a single hyphen', '-', false],
    ['a comma', 'a,b', false],
    ['a slash', 'a/b', false],
    ['a colon', 'a:b', false],
    ['NUL', 'gr\0ay', false],
    ['CR LF', 'gray\r\nx: y', false],
    ['an umlaut', 'gräy', false],
    ['a full-width letter', 'ｇray', false],
    ['an Arabic digit', '٣', false],
    ['__proto__', '__proto__', false],
    ['a number', 7, false],
    ['undefined', undefined, false],
    ['null', null, false],
    ['an array of one tag', ['gray'], false],
    ['a String object', Object('gray'), false],
  ]
  for (const [name, value, tag] of rows) t.equal(isTag(value), tag, name)
})

t.test('63 bytes are the most, and base is a tag', async t => {
  t.equal(MAX_TAG_BYTES, 63)
  t.equal(isTag('a'.repeat(MAX_TAG_BYTES)), true)
  t.equal(isTag('a'.repeat(MAX_TAG_BYTES + 1)), false)
  t.equal(isTag(BASE_TAG), true)
})

t.test('tags are case-sensitive and never changed', async t => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/), value => {
      t.ok(isTag(value))
    }),
  )
})

t.test('whatever is asked, the answer is yes or no', async () => {
  fc.assert(fc.property(fc.anything(), value => typeof isTag(value) === 'boolean'))
})
