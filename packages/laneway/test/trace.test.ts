import { createServer } from 'node:http'
import { listen } from '@laneway/testkit'
import t from 'tap'
import { command } from './command-line.js'
import { startChain } from './traced-chain.js'

t.test('trace prints the path of a request, and fails where there is none', async t => {
  const chain = await startChain()
  t.teardown(() => chain.close())
  const { url } = chain
  const one = await command(['trace', url, '-H', 'user-agent: xiaoming'])
  t.equal(one.code, 0)
  t.match(one.stdout, /^gateway +rule "tester" +-> lane gray\n└─ sc-A/)
  const json = JSON.parse((await command(['trace', url, '-H', 'user-agent: xiaoming', '--json'])).stdout)
  t.match(json, {
    status: 200,
    path: { service: 'gateway', calls: [{ target: 'sc-a', served: 'gray', path: { service: 'sc-A' } }] },
  })
  const many = await command(['trace', url, '-H', 'user-agent: xiaoming', '-n', '8', '--json'])
  const lines = many.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  t.equal(
    lines.reduce((sum, { count }) => sum + count, 0),
    8,
  )
  t.equal(lines.length, 2, 'C was busy now and then')
  const outsider = await command(['trace', url])
  t.equal(outsider.code, 1)
  t.match(outsider.stderr, /has no path.*does not trust this sender/)
  t.equal(outsider.stdout, '')
})

t.test('trace says what is wrong', async t => {
  const port = await listen(
    t,
    createServer((_, response) => response.end()),
  )
  t.match(await command(['trace', `http://127.0.0.1:${port}/`]), { code: 1, stderr: /has no path/ })
  t.match(await command(['trace', 'http://127.0.0.1:1/']), {
    code: 3,
    stderr: /was not answered: connect ECONNREFUSED/,
  })
  t.match(await command(['trace', 'ftp://a/']), { code: 2, stderr: /no http/ })
  t.match(await command(['trace', 'nonsense']), { code: 2, stderr: /is no URL/ })
  t.match(await command(['trace', 'http://a/', '-H', 'x']), { code: 2, stderr: /'name: value'/ })
  t.match(await command(['trace', 'http://a/', '-n', '0']), { code: 2 })
  const silent = await listen(
    t,
    createServer(() => {}),
  )
  t.match(await command(['trace', `http://127.0.0.1:${silent}/`, '--timeout', '50']), {
    code: 3,
    stderr: /was not answered/,
  })
})
