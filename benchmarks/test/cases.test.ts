import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'

const bench = fileURLToPath(new URL('../bench.mjs', import.meta.url))
// The hops and the largest services take longer, and run with `npm run bench -- --quick`.
const SHORT =
  'core/|ingress(-step)?/(express|fastify)/tagged/lane$|egress/|discovery/pick/.*/10/(lane|list|fallback|nacos)|rebuild/1k|rules/|messages/|nacos/calls/laneway|memory|scale'

t.test('every case runs and is right', async t => {
  const { stdout } = await promisify(execFile)(process.execPath, [bench, '--quick', SHORT])
  const cases = stdout.match(/^ {2}right {2}/gm) ?? []
  t.ok(cases.length >= 30, `${cases.length} cases`)
  t.match(stdout.trim().split('\n').at(-1), /^\d+ cases are right$/)
})

t.test('names of cases can be listed without running any', async t => {
  const { stdout } = await promisify(execFile)(process.execPath, [bench, '--no-build', '--list', 'hop/'])
  t.match(stdout, 'hop/express/A/A')
  t.match(stdout, 'hop/opentelemetry/tagged')
  t.notMatch(stdout, 'core/')
})

t.test('an unknown option is refused', async t => {
  const run = promisify(execFile)(process.execPath, [bench, '--no-build', '--quik'])
  const error = await run.then(
    () => undefined,
    (reason: { stderr: string }) => reason,
  )
  t.match(error?.stderr, /unknown option --quik/)
})

t.test('quick refuses a case that it does not know', async t => {
  const run = promisify(execFile)(process.execPath, [bench, 'quick', 'hops'])
  const error = await run.then(
    () => undefined,
    (reason: { stderr: string }) => reason,
  )
  t.match(error?.stderr, /quick knows hop, hop\/express, hop\/register; received hops/)
})
