import t from 'tap'
import { Beacons } from '../src/isolation/beacons.js'

const broker = (living: Set<string>) => {
  const asked: string[] = []
  const channel = {
    async assertQueue(name: string) {
      asked.push(name)
      return { consumerCount: living.has(name) ? 1 : 0, messageCount: 0 }
    },
  }
  return { asked, declaring: async () => channel as any }
}

t.test('one look answers all messages of a lane until it is old', async t => {
  const channels = broker(new Set(['orders_gray.live']))
  const beacons = new Beacons(channels, 'orders', 1_000_000)
  const answers = await Promise.all([1, 2, 3].map(() => beacons.firstLiving(['gray'])))
  t.strictSame(answers, ['gray', 'gray', 'gray'])
  t.equal(await beacons.firstLiving(['blue', 'gray']), 'gray')
  t.equal(await beacons.firstLiving(['blue']), undefined)
  t.strictSame(channels.asked, ['orders_gray.live', 'orders_blue.live'])
  beacons.missing('gray')
  t.equal(await beacons.firstLiving(['gray']), undefined)
})

t.test('an old answer is not believed, and a fault of the broker decides nothing', async t => {
  const living = new Set(['orders_gray.live'])
  const channels = broker(living)
  const beacons = new Beacons(channels, 'orders', -1)
  t.equal(await beacons.firstLiving(['gray']), 'gray')
  living.clear()
  t.equal(await beacons.firstLiving(['gray']), undefined)
  const broken = new Beacons({ declaring: () => Promise.reject(new Error('away')) }, 'orders', -1)
  await t.rejects(broken.firstLiving(['gray']), { message: 'away' })
})

t.test('lanes that senders invent are bounded', async t => {
  const channels = broker(new Set())
  const beacons = new Beacons(channels, 'orders', 1_000_000)
  for (let i = 0; i < 65; i++) await beacons.firstLiving([`lane${i}`])
  await beacons.firstLiving(['lane64'])
  t.equal(channels.asked.length, 65)
  await beacons.firstLiving(['lane0'])
  t.equal(channels.asked.length, 66, 'the oldest was forgotten')
})
