import { Writable } from 'node:stream'
import pino from 'pino'
import t from 'tap'
import winston from 'winston'

// The own lane is read once, on first use.
process.env['LANEWAY_TAG'] = 'green'
const { laneLogFields, runInLane } = await import('@laneway/core')

function lines(): { stream: Writable; read(): Record<string, unknown>[] } {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  return {
    stream,
    read: () =>
      text
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line)),
  }
}

t.test('the fields are the lane of the running code and the lane of the process', async t => {
  t.strictSame(laneLogFields(), { ownLane: 'green' })
  t.strictSame(
    runInLane('gray-2,gray', () => laneLogFields()),
    { lane: 'gray-2,gray', ownLane: 'green' },
  )
})

t.test('each call makes a new object, because loggers write to it', async t => {
  Object.assign(laneLogFields(), { lane: 'written by a logger' })
  t.strictSame(laneLogFields(), { ownLane: 'green' })
})

t.test('pino writes them with the option mixin', async t => {
  const { stream, read } = lines()
  const log = pino({ mixin: laneLogFields }, stream)
  log.info('outside')
  runInLane('gray', () => log.info({ a: 1 }, 'inside'))
  t.match(read(), [
    { msg: 'outside', ownLane: 'green' },
    { msg: 'inside', a: 1, lane: 'gray', ownLane: 'green' },
  ])
  t.notHas(read()[0], { lane: String })
})

t.test('winston writes them with a format', async t => {
  const { stream, read } = lines()
  const lane = winston.format(info => Object.assign(info, laneLogFields()))
  const log = winston.createLogger({
    format: winston.format.combine(lane(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream })],
  })
  log.info('outside')
  runInLane('gray', () => log.info('inside'))
  await new Promise(setImmediate)
  t.match(read(), [
    { message: 'outside', ownLane: 'green' },
    { message: 'inside', lane: 'gray', ownLane: 'green' },
  ])
})
