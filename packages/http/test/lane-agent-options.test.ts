import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import t from 'tap'

t.test('options are checked when the agent is made', async t => {
  const refused = (options: object, agentOptions?: object) =>
    t.throws(
      () => new LaneAgent(options as never, agentOptions),
      { code: 'LANEWAY_INVALID_OPTION' },
      JSON.stringify(options),
    )
  refused({ resolve: 1 })
  refused({ resolver: {} })
  refused({ header: 'no name' })
  refused({ baggage: 'yes' })
  refused({ keepHandSet: 1 })
  refused({ connectTimeoutMs: 0 })
  refused({ connectTimeoutMs: Number.NaN })
  refused({ connectTimeoutMs: 2 ** 31 })
  refused({ propagateTo: 'third.example' })
  refused({ propagateTo: ['https://third.example/'] })
  t.throws(() => new LaneAgent({ resolvr: 1 } as never), /did you mean "resolver"/)
})

t.test('the defaults of the agent are those of the global agent, and can be changed', async t => {
  for (const Agent of [LaneAgent, LaneHttpsAgent]) {
    t.match(new Agent(), { keepAlive: true, scheduling: 'lifo', options: { timeout: 5000 } })
    t.match(new Agent({}, { keepAlive: false, maxSockets: 3 }), { keepAlive: false, maxSockets: 3 })
  }
})
