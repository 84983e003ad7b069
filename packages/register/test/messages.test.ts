import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ask, startApp } from './start-app.js'

// An application with a client of RabbitMQ and without @laneway/amqp: far from the packages of this repository.
const APP = `
const { EventEmitter } = require('node:events')
const { createServer } = require('node:http')
class ChannelModel extends EventEmitter {
  createChannel() { return 'a channel' }
  createConfirmChannel() { return 'a channel with confirms' }
}
const server = createServer((request, response) => {
  const connections = [new ChannelModel(), new ChannelModel()]
  response.end(connections.map(one => one.createChannel() + ', ' + one.createConfirmChannel()).join())
})
server.listen(0, '127.0.0.1', () => console.log('serving on ' + server.address().port))
`
const WORKS = 'a channel, a channel with confirms,a channel, a channel with confirms'
const flags = ['--import', new URL('../dist/esm/index.js', import.meta.url).href]

t.test(
  'a package that is missing is one warning with its install line; the client works as without Laneway',
  async t => {
    const far = mkdtempSync(join(tmpdir(), 'laneway-messages-'))
    t.teardown(() => rmSync(far, { recursive: true }))
    writeFileSync(`${far}/app.js`, APP)
    const app = await startApp(t, `${far}/app.js`, { folder: far, flags })
    t.equal(await ask(app.url), WORKS)
    t.equal(await ask(app.url), WORKS)
    const warnings = app.output.stderr.match(/LanewayWarning: .*/g) ?? []
    t.equal(warnings.length, 1, app.output.stderr)
    t.match(warnings[0], /messages of amqp carry no lane.*npm install @laneway\/amqp, or set LANEWAY_DISABLE=amqp/)
    for (const environment of [{ LANEWAY_DISABLE: 'amqp' }, { LANEWAY_MESSAGES: 'off' }]) {
      const quiet = await startApp(t, `${far}/app.js`, { folder: far, flags, environment })
      t.equal(await ask(quiet.url), WORKS)
      t.equal(quiet.output.stderr, '')
    }
  },
)

t.test('a package that cannot take a client in is a fault of that client', async t => {
  const far = mkdtempSync(join(tmpdir(), 'laneway-messages-'))
  t.teardown(() => rmSync(far, { recursive: true }))
  const patch = `exports.createMessagePatch = () => () => { throw new Error('not this one') }`
  const server = `require('node:http').createServer((_request, response) => response.end('works'))`
  const files = {
    'node_modules/kafkajs/src/index.js': 'exports.Kafka = class {}',
    'node_modules/@laneway/kafka/patch.js': patch,
    'app.js': `require('kafkajs/src/index.js')
const server = ${server}
server.listen(0, '127.0.0.1', () => console.log('serving on ' + server.address().port))`,
  }
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(far, file, '..'), { recursive: true })
    writeFileSync(join(far, file), content)
  }
  const app = await startApp(t, `${far}/app.js`, { folder: far, flags })
  t.equal(await ask(app.url), 'works')
  t.match(app.output.stderr, /LanewayWarning: kafka had a fault; requests go on without it: Error: not this one/)
})
