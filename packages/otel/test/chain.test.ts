import t, { type Test } from 'tap'
import { build, type ProgramOptions, runProgram, sdk3 } from './program.js'

await build()
const CLEAN = { sent: 192, answers: 192, wrong: 0, doubled: 0, unlabelled: 0, mislabelled: 0, why: [] }

/** Five spans a request: a server and a client span at A and B, a server span at C. */
const SPANS = { spans: 5 * 192, served: 2 * 192 }

async function onHttp(t: Test, options: ProgramOptions) {
  await t.test('clients of http on pools of 4, 64 in flight: right lanes, one trace each', async t => {
    const result = await runProgram('chain', { first: 'http', second: 'http' }, options)
    t.match(result, { ...CLEAN, ...SPANS, otherTrace: 0 })
  })
}

async function onUndici(t: Test, options: ProgramOptions) {
  await t.test('undici on pools of 4, 64 in flight: right lanes and labels', async t => {
    const result = await runProgram('chain', { first: 'undici', second: 'undici' }, options)
    t.match(result, { ...CLEAN, ...SPANS })
    t.comment(`spans that OpenTelemetry's undici instrumentation put into another trace: ${result.otherTraceUndici}`)
  })
}

async function otherWays(t: Test, options: ProgramOptions) {
  await t.test('undici on unbounded pools: right lanes, one trace each', async t => {
    const result = await runProgram('chain', { first: 'undici', second: 'undici', unbounded: true }, options)
    t.match(result, { ...CLEAN, ...SPANS, otherTrace: 0, otherTraceUndici: 0 })
  })
  await t.test('with the lane in OpenTelemetry baggage, and baggage members written by the egress', async t => {
    const input = { first: 'undici', second: 'http', order: 'laneway-first', baggage: true, member: true }
    const result = await runProgram('chain', { ...input, propagator: { inject: 'remove' } }, options)
    t.match(result, { ...CLEAN, ...SPANS, members: 192 })
  })
}

t.test('three hops, SDK 2 with the API 1.9', async t => {
  await onHttp(t, {})
  await onUndici(t, {})
  await otherWays(t, {})
})

const other = await sdk3()
const skip = other === undefined ? 'OpenTelemetry SDK 3 or Node 22 cannot be had on this machine' : false
t.test('three hops, SDK 3 with the API 1.10, Node 22', { skip }, async t => {
  await onHttp(t, other!)
  await onUndici(t, other!)
})
