import { parseLane } from '@laneway/core'
import { mseList } from '@laneway/core/internal'
import t from 'tap'
import { adoptMseProperty, MSE_PROPERTY } from '../src/mse-property.js'

function adopted(value: unknown): string | undefined {
  const properties = new Map([[MSE_PROPERTY, value as string]])
  adoptMseProperty(properties, ['x-mse-tag'])
  return properties.get('x-mse-tag')
}

t.test('what is written is read', async t => {
  for (const text of ['gray', 'gray-2,gray', 'a,b,c,d']) t.equal(adopted(mseList(parseLane(text)!)), text)
})

const cases: Record<string, [value: unknown, lane: string | undefined]> = {
  'a tag': ['[{"name":"x","tag":"gray","priority":-1}]', 'gray'],
  'a name alone': ['[{"name":"gray"}]', 'gray'],
  'a higher priority first': ['[{"tag":"a","priority":1},{"tag":"b","priority":2},{"tag":"c","priority":2}]', 'b,c,a'],
  'an empty list': ['[]', undefined],
  'no list': ['{"tag":"gray"}', undefined],
  'an entry of null': ['[null]', undefined],
  'an entry without both': ['[{}]', undefined],
  'a tag that is none': ['[{"tag":"-"}]', undefined],
  'a tag that is a number': ['[{"tag":7}]', undefined],
  'five tags': [JSON.stringify([1, 2, 3, 4, 5].map(tag => ({ tag: `t${tag}` }))), undefined],
  'no JSON': ['gray', undefined],
  'empty text': ['', undefined],
  bytes: [Buffer.from('[{"tag":"gray"}]'), undefined],
  'a megabyte': [JSON.stringify([{ tag: 'a'.repeat(1_000_000) }]), undefined],
}
for (const [name, [value, lane]] of Object.entries(cases)) {
  t.test(`a value with ${name}`, async t => t.equal(adopted(value), lane ?? ''))
}
