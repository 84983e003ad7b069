import t from 'tap'
import { LaneBeats } from '../src/lease/lane-beats.js'

t.test('a lease is renewed until it is released; a beat under way ends before the release', async t => {
  const calls: string[] = []
  let finish = () => {}
  let slow = false
  const lease: LaneBeats = new LaneBeats({
    async beat() {
      calls.push(`beat, released ${lease.released}`)
      if (slow) {
        await new Promise<void>(resolve => {
          finish = resolve
        })
        calls.push(`beat ends, released ${lease.released}`)
      }
    },
    async end() {
      calls.push('end')
    },
    leaseMs: 30,
    viewMs: 0,
    failed: t.error,
  })
  await lease.hold()
  while (calls.length < 3) await new Promise(resolve => setTimeout(resolve, 5))
  slow = true
  const before = calls.length
  while (calls.length === before) await new Promise(resolve => setTimeout(resolve, 5))
  const released = lease.release()
  await lease.release()
  t.notOk(calls.includes('end'))
  finish()
  await released
  t.strictSame(calls.slice(-2), ['beat ends, released true', 'end'])
  const last = calls.length
  await new Promise(resolve => setTimeout(resolve, 40))
  t.equal(calls.length, last)
})

t.test('a lease that was released before its first beat ended has no timer', async t => {
  let begin = () => {}
  let beats = 0
  const lease = new LaneBeats({
    async beat() {
      beats++
      await new Promise<void>(resolve => {
        begin = resolve
      })
    },
    end: async () => {},
    leaseMs: 3,
    viewMs: 0,
    failed: t.error,
  })
  const holding = lease.hold()
  const releasing = lease.release()
  begin()
  await Promise.all([holding, releasing])
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(beats, 1)
})
