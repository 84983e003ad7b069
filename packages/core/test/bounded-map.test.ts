import { BoundedMap, keep, oncePerKey } from '@laneway/core/internal'
import t from 'tap'

t.test('it holds no more than its bound, whatever the network asks for', async t => {
  const map = new BoundedMap<string, number>(8)
  for (let i = 0; i < 1000; i++) {
    map.set(`key ${i}`, i)
    t.ok(map.size <= 8)
  }
  t.equal(map.get('key 999'), 999)
  t.equal(map.get('key 0'), undefined)
})

t.test('an entry that is read stays; the entry that was not read for longest is evicted', async t => {
  const map = new BoundedMap<string, number>(8)
  map.set('used', 1)
  map.set('unused', 2)
  for (let i = 0; i < 20; i++) {
    map.set(`key ${i}`, i)
    t.equal(map.get('used'), 1)
  }
  t.equal(map.get('unused'), undefined)
})

t.test('a value is made once, and null is a value', async t => {
  let made = 0
  const map = new BoundedMap<string, string | null>(4)
  const make = (key: string) => {
    made++
    return key === 'none' ? null : key.toUpperCase()
  }
  for (let i = 0; i < 3; i++) {
    t.equal(map.of('a', make), 'A')
    t.equal(map.of('none', make), null)
  }
  t.equal(made, 2)
  map.of('b', make)
  map.of('c', make)
  t.equal(map.of('none', make), null)
  t.equal(made, 4, 'it moved over from the older generation')
})

t.test('delete and clear reach both generations', async t => {
  const map = new BoundedMap<string, number>(2)
  for (const key of ['a', 'b', 'c']) map.set(key, 1)
  t.equal(map.delete('b'), true)
  t.equal(map.delete('b'), false)
  t.equal(map.get('b'), undefined)
  map.clear()
  t.equal(map.size, 0)
})

t.test('plain generations are kept by the same rule', async t => {
  const plain = { young: new Map<string, number>(), old: new Map<string, number>() }
  for (const key of ['a', 'b', 'c']) keep(plain, 2, key, 1)
  t.strictSame([[...plain.young.keys()], [...plain.old.keys()]], [['c'], ['a', 'b']])
  keep(plain, 1, 'c', 2)
  t.strictSame([[...plain.young], plain.old.size], [[['c', 2]], 2], 'a key that is there evicts nothing')
})

t.test('once per key, and no more keys than the bound', async t => {
  const isFirst = oncePerKey(3)
  t.strictSame(
    ['a', 'b', 'a', 'c', 'd', 'b'].map(key => isFirst(key)),
    [true, true, false, true, false, false],
  )
})
