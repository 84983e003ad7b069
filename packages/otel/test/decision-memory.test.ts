import { parseLane } from '@laneway/core'
import t from 'tap'
import { DecisionMemory } from '../src/spans/decision-memory.js'
import { resolvedAddress, undiciHeader } from '../src/spans/undici-request.js'

const decision = (address: string | undefined, lane: string | undefined, outcome: string) => ({
  service: 'svc',
  lane: parseLane(lane),
  outcome,
  served: undefined,
  address,
  reason: () => '',
})

t.test('the last decision per endpoint and lane is kept', async t => {
  const memory = new DecisionMemory()
  memory.keep(decision('a:1', 'gray', 'fallback-missing'))
  memory.keep(decision('a:1', undefined, 'base'))
  memory.keep(decision('b:1', 'gray', 'lane'))
  memory.keep(decision('a:1', 'gray', 'fallback-unavailable'))
  memory.keep(decision(undefined, 'gray', 'no-base'))
  t.equal(memory.last('a:1', 'gray')?.outcome, 'fallback-unavailable')
  t.equal(memory.last('a:1', undefined)?.outcome, 'base')
  t.equal(memory.last('b:1', 'gray')?.outcome, 'lane')
  t.equal(memory.last('b:1', undefined), undefined)
})

t.test('lanes that clients make up do not make it grow', async t => {
  const memory = new DecisionMemory()
  for (let index = 0; index < 10_000; index++) memory.keep(decision('a:1', `made-up-${index}`, 'base'))
  const kept = Array.from({ length: 10_000 }, (_, index) => memory.last('a:1', `made-up-${index}`)).filter(Boolean)
  t.ok(kept.length <= 4096, `${kept.length} kept`)
  t.ok(kept.length >= 2048, `${kept.length} kept`)
  t.ok(memory.last('a:1', 'made-up-9999'))
})

t.test('the address of a resolved request, and of none', async t => {
  const cases: [origin: unknown, host: unknown, address: string | undefined][] = [
    ['http://10.0.0.1:8080', 'svc', '10.0.0.1:8080'],
    ['http://[::1]:8080', 'svc', '[::1]:8080'],
    ['http://10.0.0.1', 'svc', '10.0.0.1:80'],
    ['https://10.0.0.1/', 'svc', '10.0.0.1:443'],
    [new URL('http://10.0.0.1:80/'), 'svc', '10.0.0.1:80'],
    ['http://10.0.0.1:8080', '10.0.0.1:8080', undefined],
    ['http://10.0.0.1:8080', null, undefined],
    ['http://10.0.0.1:8080', undefined, undefined],
    [undefined, 'svc', undefined],
    ['nonsense', 'svc', undefined],
  ]
  for (const [origin, host, address] of cases) t.equal(resolvedAddress({ origin, host }), address, String(origin))
})

t.test('a header among the lines of a request', async t => {
  const headers = ['a', '1', 'X-Mse-Tag', 'gray', 'b', '2']
  t.equal(undiciHeader({ headers }, 'x-mse-tag'), 'gray')
  t.equal(undiciHeader({ headers }, 'x-other'), undefined)
  t.equal(undiciHeader({ headers: ['x-mse-tag', ['gray', 'blue']] }, 'x-mse-tag'), undefined)
  t.equal(undiciHeader({ headers: ['x-mse-tag'] }, 'x-mse-tag'), undefined)
  t.equal(undiciHeader({ headers: 'x-mse-tag: gray\r\n' }, 'x-mse-tag'), undefined)
  t.equal(undiciHeader({}, 'x-mse-tag'), undefined)
})
