import t from 'tap'
import { LaneSight } from '../src/lease/lane-sight.js'

const lookOf = (...living: string[]) => ({ living: new Set(living) })
type Look = ReturnType<typeof lookOf>

t.test('a tagged message is decided by a young view only; lookers share one look', async t => {
  const answers: ((look: Look) => void)[] = []
  const leases = { look: () => new Promise<Look>(resolve => answers.push(resolve)) }
  const sight = new LaneSight(leases, 1_000_000, () => {}, t.error)
  const first = [sight.firstLiving(['gray']), sight.firstLiving(['blue', 'gray']), sight.firstLiving(['blue'])]
  t.equal(answers.length, 1, 'three messages, one look')
  answers[0]!(lookOf('gray'))
  t.strictSame(await Promise.all(first), ['gray', 'gray', undefined])
  t.equal(await sight.firstLiving(['gray']), 'gray')
  t.equal(answers.length, 1, 'the view is young')
  await sight.close()
})

t.test('an old view is not believed: the message waits for a look, and fails with it', async t => {
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
  // Every view is older than looks of no duration allow.
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

t.test('a look that a message asked for is a turn: there is never more than one in the time of a look', async t => {
  const lookMs = 20
  let looks = 0
  const leases = {
    async look() {
      looks++
      return lookOf('gray')
    },
  }
  const began = performance.now()
  const sight = new LaneSight(leases, lookMs, () => {}, t.error)
  await sight.start()
  while (looks < 10) {
    // Busy for longer than a view lasts, so that the message asks before the timer does.
    const busyUntil = performance.now() + 1.5 * lookMs
    while (performance.now() < busyUntil);
    await sight.firstLiving(['gray'])
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  // A timer may fire a millisecond early.
  t.ok(looks <= (performance.now() - began) / (lookMs - 1) + 1)
  await sight.close()
})
