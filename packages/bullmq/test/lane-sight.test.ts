import t from 'tap'
import { LaneSight } from '../src/lane-sight.js'
import type { Look } from '../src/leases.js'

const lookOf = (...living: string[]): Look => ({ paused: false, living: new Set(living), orphaned: new Set() })

t.test('a tagged job is decided by a young view only; lookers share one look', async t => {
  const answers: ((look: Look) => void)[] = []
  const leases = { look: () => new Promise<Look>(resolve => answers.push(resolve)) }
  const sight = new LaneSight(leases, 1_000_000, () => {}, t.error)
  const first = [sight.firstLiving(['gray']), sight.firstLiving(['blue', 'gray']), sight.firstLiving(['blue'])]
  t.equal(answers.length, 1, 'three jobs, one look')
  answers[0]!(lookOf('gray'))
  t.strictSame(await Promise.all(first), ['gray', 'gray', undefined])
  t.equal(await sight.firstLiving(['gray']), 'gray')
  t.equal(answers.length, 1, 'the view is young')
  await sight.close()
})

t.test('an old view is not believed: the job waits for a look, and fails with it', async t => {
  let broken = false
  let looks = 0
  const leases = {
    async look() {
      looks++
      if (broken) throw new Error('away')
      return lookOf('gray')
    },
  }
  const failures: unknown[] = []
  // Every view is older than two looks of no duration.
  const sight = new LaneSight(
    leases,
    -1,
    () => {},
    error => failures.push(error),
  )
  t.equal(await sight.firstLiving(['gray']), 'gray')
  t.equal(await sight.firstLiving(['gray']), 'gray')
  t.equal(looks, 2)
  broken = true
  await t.rejects(sight.firstLiving(['gray']), { message: 'away' })
  await sight.close()
})
