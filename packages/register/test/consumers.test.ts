import t from 'tap'
import { ask, program, startApp } from './start-app.js'

const LOOPS = ['kafkajs', 'bullmq', 'bull', 'bee-queue', 'sqs-consumer']
const CONNECTIONS = ['socket', 'socket of its own class', 'tls', 'datagrams']

for (const disabled of ['', LOOPS.join(), 'sockets']) {
  const leaking = disabled === 'sockets' ? CONNECTIONS : disabled === '' ? [] : LOOPS
  t.test(
    `what a request has opened delivers in no lane${disabled && `, unless LANEWAY_DISABLE=${disabled}`}`,
    async t => {
      const app = await startApp(t, program('consumers.mjs'), { environment: { LANEWAY_DISABLE: disabled } })
      const cases = JSON.parse(await ask(app.url)) as string[]
      t.strictSame(cases, [...LOOPS, ...CONNECTIONS])
      for (const name of cases) {
        const seen = []
        for (const tag of ['gray', 'blue', undefined])
          seen.push(await ask(`${app.url}/${encodeURIComponent(name)}`, tag))
        t.strictSame(seen, Array(3).fill(leaking.includes(name) ? 'gray' : 'none'), name)
      }
      t.equal(app.output.stderr, '')
    },
  )
}

t.test('the connection of an HTTP client keeps the lane of its request', async t => {
  const app = await startApp(t, program('consumers.mjs'))
  for (const name of ['http', 'https']) {
    for (const tag of ['gray', 'blue', undefined]) t.equal(await ask(`${app.url}/${name}`, tag), tag ?? 'none', name)
  }
})
