import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

// It starts an API server of its own, because it kills it.
const skip = process.env['LANEWAY_TEST_API_SERVER_PID'] === undefined && 'not our own API server'
const CLIENTS = 10

/** `LANEWAY_FLEET=200,300,5,60` gives the figures of the README: clients, services, pods of each, idle seconds. */
const size = (process.env['LANEWAY_FLEET'] ?? `${CLIENTS},30,3,5`).split(',')

async function measure(t: Tap.Test, ...more: string[]): Promise<Record<string, Record<string, number>>> {
  const args = [
    '--import',
    'tsx',
    '--conditions=@laneway/source',
    'test/kubernetes/load/fleet-load.mts',
    ...size,
    ...more,
  ]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 280_000 })
  const steps: Record<string, Record<string, number>> = {}
  for (const line of stdout.trim().split('\n')) {
    const { step, ...counts } = JSON.parse(line)
    t.comment(line)
    steps[step] = counts
  }
  return steps
}

declare namespace Tap {
  type Test = { comment(text: string): void }
}

const requests = (counts: Record<string, number> = {}) =>
  Object.entries(counts)
    .filter(([key]) => /^(LIST|WATCH|GET) /.test(key))
    .reduce((sum, [, count]) => sum + count, 0)

t.test('what a fleet costs an API server', { skip, timeout: 290_000 }, async t => {
  const clients = Number(size[0])
  const steps = await measure(t)
  const lists = Object.values(steps).flatMap(step => Object.keys(step).filter(key => key.startsWith('LIST')))
  t.strictSame(lists, [], 'no list of its own at any time')
  t.equal(requests(steps['start']), 4 * clients, 'two watches, and two Services that are read')
  t.equal(requests(steps['idle']), 0)
  t.equal(requests(steps['roll-out']), 0)
  t.ok(requests(steps['restart of the API server']) <= 6 * clients)
  t.equal(steps['restart of the API server']?.['connected'], clients)
})

t.test('what a fleet behind one endpoints server costs an API server', { skip, timeout: 290_000 }, async t => {
  const steps = await measure(t, 'served')
  t.ok(requests(steps['start']) < 30, 'as one process that calls many services')
  t.equal(requests(steps['idle']), 0)
  t.equal(requests(steps['roll-out']), 0)
  t.ok(requests(steps['restart of the API server']) <= 6)
  t.equal(steps['restart of the API server']?.['connected'], Number(size[0]))
})
