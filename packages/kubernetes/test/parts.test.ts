import { createKubernetesSource } from '@laneway/kubernetes'
import fc from 'fast-check'
import t from 'tap'
import { choosePort } from '../src/objects/service-ports.js'
import { parseServiceName } from '../src/service-name.js'
import { createLineSplitter } from '../src/watch/line-splitter.js'
import { isOlder } from '../src/watch/resource-version.js'

t.test('lines are the same however the bytes are cut', async t => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 12 })), fc.array(fc.nat(9)), (words, cuts) => {
      const lines = words.map(word => word.replaceAll('\n', ' '))
      const bytes = Buffer.from(lines.map(line => `${line}\n`).join(''))
      const seen: string[] = []
      const split = createLineSplitter(line => seen.push(line), 1_000)
      let at = 0
      for (let i = 0; at < bytes.length; i++) {
        const size = (cuts[i % Math.max(1, cuts.length)] ?? 1) + 1
        split(bytes.subarray(at, at + size))
        at += size
      }
      t.strictSame(
        seen,
        lines.filter(line => line !== ''),
      )
    }),
  )
})

t.test('a line without an end is refused at its limit', async t => {
  const split = createLineSplitter(() => {}, 10)
  split(Buffer.from('1234567890'))
  t.throws(() => split(Buffer.from('1')), RangeError)
})

t.test('resource versions compare as numbers of any length', async t => {
  const cases: [a: string, b: string, older: boolean][] = [
    ['9', '10', true],
    ['10', '9', false],
    ['10', '10', false],
    ['99999999999999999999', '100000000000000000000', true],
    ['a', '10', false],
    ['10', 'b', false],
    ['', '1', false],
    ['01', '2', false],
  ]
  for (const [a, b, older] of cases) t.equal(isOlder(a, b), older, `${a} < ${b}`)
})

t.test('names of services', async t => {
  const cases: [service: string, expected: string | undefined][] = [
    ['orders', 'orders in own'],
    ['Orders', 'orders in own'],
    ['orders.shop', 'orders in shop'],
    ['orders.shop.svc', 'orders in shop'],
    ['orders.shop.svc.cluster.local', 'orders in shop'],
    ['orders.shop.example.com', undefined],
    ['', undefined],
    ['.shop', undefined],
    ['orders.', undefined],
    ['-orders', undefined],
    ['a/b', undefined],
    ['orders?x', undefined],
    ['__proto__', undefined],
    ['a'.repeat(63), `${'a'.repeat(63)} in own`],
    ['a'.repeat(64), undefined],
  ]
  for (const [service, expected] of cases) {
    const name = parseServiceName(service, 'own')
    t.equal(name && `${name.name} in ${name.namespace}`, expected, service)
  }
})

t.test('the port of a headless Service without ports is the number itself', async t => {
  t.equal(choosePort([], 8080, undefined), 8080)
  t.equal(choosePort([], undefined, undefined), undefined)
  t.equal(choosePort([], 'http', undefined), undefined)
  t.equal(choosePort([{ name: '', port: 3000 }], 80, new Map([[80, '']])), 3000)
  t.equal(choosePort([{ name: '', port: 3000 }], 81, new Map([[80, '']])), undefined)
})

t.test('options are checked when the source is made', async t => {
  const cases: [options: object, message: RegExp][] = [
    [{ lanefrom: 'podLabels' }, /no option "lanefrom", did you mean "laneFrom"/],
    [{ laneFrom: 'podLabel' }, /laneFrom is one of .* did you mean "podLabels"/],
    [{ addressFamily: 'ipv4' }, /addressFamily is one of/],
    [{ idleTimeoutMs: Number.NaN }, /idleTimeoutMs is a number of milliseconds from 1 to \d+, received NaN/],
    [{ idleTimeoutMs: 0 }, /idleTimeoutMs/],
    [{ relistMs: -1 }, /relistMs/],
    [{ relistMs: '5000' }, /relistMs is a number of milliseconds .*without quotes, received "5000"/],
    [{ minBackoffMs: 10, maxBackoffMs: 9 }, /maxBackoffMs is .* from 10/],
    [{ port: 0 }, /port is the name of a Service port.* received 0/],
    [{ port: { a: 65536 } }, /port\.a is .* received 65536/],
    [{ port: '' }, /port is/],
  ]
  // @ts-expect-error an unknown option does not compile either
  t.throws(() => createKubernetesSource({ lanefrom: 'podLabels' }))
  for (const [options, message] of cases) {
    t.throws(() => createKubernetesSource(options), { code: 'LANEWAY_INVALID_OPTION', message })
  }
})
