// Log lines of pino and winston, and the log records that pino's instrumentation sends, with the lane in them.
import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import { laneLogFields, runInLane } from '@laneway/core'
import { LaneLogRecordProcessor, useOtelContext } from '@laneway/otel'
import { trace } from '@opentelemetry/api'

const require = createRequire(import.meta.url)
const { PinoInstrumentation } = require('@opentelemetry/instrumentation-pino')
const { WinstonInstrumentation } = require('@opentelemetry/instrumentation-winston')
const { NodeSDK } = require('@opentelemetry/sdk-node')

const result = { records: [], pino: [], winston: [] }
const collect = { onEmit: record => result.records.push(record), async forceFlush() {}, async shutdown() {} }
new NodeSDK({
  autoDetectResources: false,
  spanProcessors: [{ onStart() {}, onEnd() {}, async forceFlush() {}, async shutdown() {} }],
  metricReaders: [],
  logRecordProcessors: [new LaneLogRecordProcessor(), collect],
  instrumentations: [new PinoInstrumentation(), new WinstonInstrumentation()],
}).start()
useOtelContext()

const into = lines =>
  new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(chunk))
      done()
    },
  })
const pino = require('pino')({ mixin: laneLogFields }, into(result.pino))
const winston = require('winston')
const laneHandler = winston.format(info => Object.assign(info, laneLogFields()))
const logger = winston.createLogger({
  format: winston.format.combine(laneHandler(), winston.format.json()),
  transports: [new winston.transports.Stream({ stream: into(result.winston) })],
})

function both(text) {
  pino.info(text)
  logger.info(text)
}
both('outside')
trace.getTracer('test').startActiveSpan('work', span => {
  runInLane('gray', () => both('inside'))
  span.end()
})
setImmediate(() => {
  result.records = result.records.map(({ body, attributes }) => ({ body, lane: attributes['laneway.lane'] }))
  process.stdout.write(JSON.stringify(result))
})
