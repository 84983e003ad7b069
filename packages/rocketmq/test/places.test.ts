import t from 'tap'
import { Places } from '../src/isolation/places.js'

/** Lets everything go on that can. */
const settled = () => new Promise(resolve => setImmediate(resolve))

t.test('no more places are taken than there are', async t => {
  const places = new Places()
  let taken = 0
  for (let i = 0; i < 5; i++) places.take(3).then(() => taken++)
  await settled()
  t.equal(taken, 3)
  places.release()
  await settled()
  t.equal(taken, 4)
})

t.test('who waits aside gives up its place, and goes on when there is one', async t => {
  const places = new Places()
  let come = () => {}
  const comes = new Promise<void>(resolve => {
    come = resolve
  })
  let back = 0
  for (let i = 0; i < 3; i++) {
    await places.take(1)
    places.aside(() => comes, 1).then(() => back++)
  }
  await places.take(1)
  come()
  await settled()
  t.equal(back, 0, 'all places are taken')
  for (const expected of [1, 2, 3]) {
    places.release()
    await settled()
    t.equal(back, expected)
  }
})

t.test('what fails aside has its place again', async t => {
  const places = new Places()
  await places.take(1)
  await t.rejects(
    places.aside(() => Promise.reject(new Error('away')), 1),
    { message: 'away' },
  )
  let taken = false
  places.take(1).then(() => {
    taken = true
  })
  await settled()
  t.equal(taken, false)
  places.release()
  await settled()
  t.equal(taken, true)
})

t.test('at most 500 wait aside', async t => {
  const places = new Places()
  const never = new Promise(() => {})
  for (let i = 0; i < 500; i++) {
    await places.take(1)
    void places.aside(() => never, 1)
  }
  await places.take(1)
  void places.aside(() => never, 1)
  let taken = false
  places.take(1).then(() => {
    taken = true
  })
  await settled()
  t.equal(taken, false)
})

t.test('after closing nobody waits', async () => {
  const places = new Places()
  await places.take(1)
  const waits = places.take(1)
  places.close()
  await waits
  await places.take(1)
})
