import { inspect } from 'node:util'
import t from 'tap'
import { parseServers } from '../src/connection/servers.js'
import { createNacosClient } from '../src/index.js'

function messageOf(servers: string | readonly string[]): string {
  try {
    parseServers(servers, 1000)
  } catch (error) {
    t.match(error, { code: 'LANEWAY_INVALID_OPTION' })
    return inspect(error)
  }
  throw new Error(`${servers} was taken`)
}

t.test('the forms of a server', async t => {
  const cases: [string, object][] = [
    ['nacos', { host: 'nacos', port: 8848, grpcPort: 9848 }],
    ['nacos:8848', { host: 'nacos', port: 8848, httpUrl: 'http://nacos:8848/nacos' }],
    ['[::1]:8848', { host: '::1', port: 8848 }],
    ['HTTPS://h:443/context/', { host: 'h', port: 443, httpUrl: 'https://h:443/context' }],
    ['http://h', { host: 'h', port: 8848 }],
  ]
  for (const [entry, expected] of cases) t.match(parseServers(entry, 1000)[0], expected, entry)
  t.equal(parseServers('a:1, b ,c:3', 1000).length, 3)
})

t.test('a scheme that is none of HTTP is named, with what to write instead', async t => {
  for (const scheme of ['nacos', 'NACOS', 'grpc', 'tcp', 'htp', 'jdbc+x']) {
    t.match(messageOf(`a:1,${scheme}://host:8848`), `has the scheme ${scheme.toLowerCase()}; write "host:8848"`)
  }
  t.throws(() => createNacosClient({ servers: 'nacos://host:8848' }), {
    message: /has the scheme nacos; write "host:8848"/,
  })
  for (const wrong of ['h:0', 'h:70000', 'h:65000', 'http://h:x', 'h:8848?a', 'h:8848#a', ' , ']) {
    t.match(messageOf(wrong), /is not host:port|servers is empty/)
  }
})

t.test('user and password are in no message', async t => {
  const user = 'dora'
  const password = 'open,se/same'
  const forms = [
    `http://${user}:${password}@h:8848`,
    `${user}:${password}@h:8848`,
    `nacos://${user}:${password}@h`,
    `h:8848,https://${user}:${password}@h:99999`,
    `${user}@h`,
    `http://${user}:${password}@@h`,
  ]
  for (const form of forms) {
    for (const given of [form, ['h:1', form]]) {
      const message = messageOf(given)
      t.match(message, /a server is host:port without user and password/)
      for (const secret of [user, 'open', 'same']) t.notOk(message.includes(secret), `${form}: ${secret}`)
    }
  }
})
