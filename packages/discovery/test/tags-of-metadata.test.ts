import t from 'tap'
import { parseEndpoint, tagsOfMetadata } from '../src/index.js'

const rows: readonly [name: string, metadata: Record<string, string>, tags: string[], extra?: string[]][] = [
  ['nothing', {}, []],
  ['opensergo.io/canary-<tag>', { 'opensergo.io/canary-gray': 'gray' }, ['gray']],
  ['two canary keys', { 'opensergo.io/canary-gray': 'gray', 'opensergo.io/canary-blue': 'blue' }, ['gray', 'blue']],
  ['opensergo.io/canary: "" is base', { 'opensergo.io/canary': '' }, []],
  ['a canary key for base', { 'opensergo.io/canary-base': 'base' }, []],
  [
    '__micro.service.env__',
    { '__micro.service.env__': '[{"tag":"gray","priority":1},{"tag":"blue"}]' },
    ['gray', 'blue'],
  ],
  ['__micro.service.env__, empty', { '__micro.service.env__': '' }, []],
  ['__micro.service.env__, empty list', { '__micro.service.env__': '[]' }, []],
  ['__micro.service.env__, base', { '__micro.service.env__': '[{"tag":"base"},{"tag":""},{},null,7]' }, []],
  ['alicloud.service.tag', { 'alicloud.service.tag': 'gray' }, ['gray']],
  ['alicloud.service.tag, base', { 'alicloud.service.tag': 'base' }, []],
  ['alicloud.service.tag, blank', { 'alicloud.service.tag': ' ' }, []],
  [
    'all three, as a set',
    {
      'opensergo.io/canary-gray': 'gray',
      '__micro.service.env__': '[{"tag":"gray"}]',
      'alicloud.service.tag': 'gray-2',
    },
    ['gray', 'gray-2'],
  ],
  ['version is not read by itself', { version: 'v2' }, []],
  ['a name the user lists', { version: 'v2' }, ['v2'], ['version']],
  ['a listed name that says base', { version: 'base' }, [], ['version']],
  ['a listed name that objects inherit', {}, [], ['toString', '__proto__']],
]

t.test('the tags of an endpoint are collected as a set', async t => {
  for (const [name, metadata, tags, extra] of rows) t.strictSame(tagsOfMetadata(metadata, extra), tags, name)
  t.strictSame(tagsOfMetadata(undefined), [])
  t.strictSame(tagsOfMetadata(null), [])
})

const unclear: readonly [name: string, metadata: Record<string, unknown>][] = [
  ['a canary key whose value differs', { 'opensergo.io/canary-gray': 'blue' }],
  ['no JSON', { '__micro.service.env__': '[{"tag":"gray"' }],
  ['JSON that is no list', { '__micro.service.env__': '{"tag":"gray"}' }],
  ['a value outside the grammar', { 'alicloud.service.tag': 'gr ay' }],
  ['a number', { 'alicloud.service.tag': 7 }],
  ['a list', { 'alicloud.service.tag': ['gray'] }],
  ['a canary key with a number', { 'opensergo.io/canary-7': 7 }],
  ['a list that is no JSON text', { '__micro.service.env__': [{ tag: 'gray' }] }],
  ['a number in the list', { '__micro.service.env__': '[{"tag":"gray"},{"tag":7}]' }],
]

t.test('an instance whose tags are unclear is refused, never taken for base', async t => {
  for (const [name, metadata] of unclear) {
    const tags = tagsOfMetadata(metadata as Record<string, string>)
    t.ok(tags.length > 0, name)
    t.equal(parseEndpoint({ host: '10.0.0.7', port: 80, tags }), undefined, name)
  }
})
