import t from 'tap'
import { compileRules, slotOf } from '../src/index.js'

const { explain } = compileRules({
  version: 1,
  rules: [
    { name: 'health', when: { path: { exact: '/healthz' } }, lane: null },
    {
      name: 'tester',
      when: {
        all: [
          { path: { prefix: '/orders' } },
          { any: [{ header: { name: 'X-User', exact: 'xiaoming' } }, { cookie: { name: 'beta', exists: true } }] },
        ],
      },
      lane: 'gray',
    },
    { name: 'robots', when: { not: { header: { name: 'user-agent', regex: 'Mozilla.*' } } }, lane: null },
    {
      name: 'share',
      split: {
        salt: 's',
        key: [{ header: 'x-id' }, { cookie: 'uid' }],
        lanes: [{ lane: 'blue', from: 0, to: 5000, percent: 50 }],
      },
    },
  ],
})
const browser = { 'user-agent': 'Mozilla/5.0' }

t.test('it names the rule that decided, and why those before it did not', async t => {
  const { decision, rules, text } = explain({ url: '/orders/1?a', headers: { ...browser, 'x-user': 'xiaoming' } })
  t.match(decision, { rule: 'tester', lane: { header: 'gray' } })
  t.same(
    rules.map(({ rule, verdict }) => [rule, verdict]),
    [
      ['health', 'condition'],
      ['tester', 'decided'],
    ],
  )
  t.equal(
    text,
    [
      'health: no, path exact "/healthz" does not hold, received "/orders/1"',
      'tester: lane gray, path prefix "/orders" holds, received "/orders/1" and header x-user exact "xiaoming" holds, received "xiaoming"',
    ].join('\n'),
  )
})

t.test('it names the part that failed, and what the request has there', async t => {
  const { rules, text } = explain({ url: '/orders', headers: { 'x-user': 'xiaohong' } })
  t.match(rules[1], {
    verdict: 'condition',
    condition: {
      condition: 'all',
      held: false,
      parts: [
        { condition: 'path prefix "/orders"', held: true, received: '/orders' },
        {
          condition: 'any',
          held: false,
          parts: [{ received: 'xiaohong' }, { condition: 'cookie beta exists true', held: false }],
        },
      ],
    },
  })
  t.equal(
    text.split('\n')[1],
    'tester: no, header x-user exact "xiaoming" does not hold, received "xiaohong", cookie beta exists true does not hold',
  )
  t.equal(text.split('\n')[2], 'robots: not coloured, not (header user-agent regex "Mozilla.*" does not hold)')
})

t.test('it tells key and slot of a share', async t => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  const inside = ids.find(id => slotOf('s', id) < 5000)!
  const outside = ids.find(id => slotOf('s', id) >= 5000)!
  const line = (headers: Record<string, string>) =>
    explain({ url: '/', headers: { ...browser, ...headers } })
      .text.split('\n')
      .slice(3)
  t.same(line({ 'x-id': inside }), [`share: lane blue, every request, slot ${slotOf('s', inside)} by header x-id`])
  t.same(line({ cookie: `uid=${outside}` }), [
    `share: no, slot ${slotOf('s', outside)} by cookie uid belongs to no lane`,
    'no rule decided: not coloured',
  ])
  t.same(line({}), ['share: no, the request has none of the keys', 'no rule decided: not coloured'])
})

t.test('a long value is cut, and control characters stay on their line', async t => {
  const { text } = explain({ url: '/orders', headers: { 'x-user': `a\n${'x'.repeat(500)}` } })
  t.match(text.split('\n')[1], /received "a\\nx+\.\.\."/)
  t.ok(text.split('\n')[1]!.length < 250)
})
