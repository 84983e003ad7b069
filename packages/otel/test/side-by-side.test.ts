import t from 'tap'
import { build, runProgram } from './program.js'

await build()

t.test('OpenTelemetry alone, baggage as carrier, a pool of 4: requests carry the lanes of others', async t => {
  const { sent, wrong, failed } = await runProgram('side-by-side', { laneway: false })
  t.ok(wrong > 0, `${wrong} of ${sent} wrong`)
  t.equal(failed, 0)
})

t.test('OpenTelemetry alone on unbounded pools is right: it is the pool', async t => {
  const { wrong, lost } = await runProgram('side-by-side', { laneway: false, unbounded: true })
  t.strictSame({ wrong, lost }, { wrong: 0, lost: 0 })
})

const CLEAN = { sent: 192, wrong: 0, lost: 0, doubled: 0, wrongMember: 0, failed: 0 }

t.test('Laneway beside the same instrumentation: none wrong, each once', async t => {
  t.match(await runProgram('side-by-side', {}), CLEAN)
})

t.test('Laneway with a baggage member beside the header: both right, each once', async t => {
  t.match(await runProgram('side-by-side', { member: true }), CLEAN)
})

t.test(
  'the lane as a baggage entry of OpenTelemetry: its propagator puts wrong members beside the right header',
  async t => {
    const { wrong, wrongMember } = await runProgram('side-by-side', { baggage: true })
    t.equal(wrong, 0)
    t.ok(wrongMember > 0, `${wrongMember} wrong members`)
  },
)

t.test('and with inject "remove" only what the egress wrote is on the wire', async t => {
  const input = { baggage: true, member: true, propagator: { inject: 'remove' } }
  t.match(await runProgram('side-by-side', input), CLEAN)
})
