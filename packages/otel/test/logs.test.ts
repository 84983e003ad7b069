import t from 'tap'
import { build, runProgram } from './program.js'

await build()

t.test("pino's and winston's lines have lane and trace, pino's records have the lane", async t => {
  const { records, pino, winston } = await runProgram('logs', {})
  for (const [name, lines] of Object.entries({ pino, winston })) {
    t.equal(lines.length, 2, name)
    t.notOk('lane' in lines[0], name)
    t.equal(lines[1].lane, 'gray', name)
    t.match(lines[1].trace_id, /^[0-9a-f]{32}$/, name)
  }
  t.strictSame(records, [{ body: 'outside' }, { body: 'inside', lane: 'gray' }])
})
