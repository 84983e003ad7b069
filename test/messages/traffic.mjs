// A producer under way: batches of messages, three tenths of lane gray, one tenth of a lane that has no consumers.
import { setTimeout as sleep } from 'node:timers/promises'

/** Begins to send. `stop()` resolves once the last batch is confirmed. */
export function startTraffic(producer, { batch = 10, everyMs = 50, grayTenths = 3, failEvery = 0 }) {
  const sent = new Map()
  let on = true
  let next = 0
  const sending = (async () => {
    while (on) {
      const list = []
      for (let i = 0; i < batch; i++) {
        const number = next++
        const tenth = number % 10
        const lane = tenth < grayTenths ? 'gray' : tenth === grayTenths ? 'blue' : ''
        const fails = failEvery > 0 && number % failEvery === 1
        const message = { id: `m${number}`, lane, fails }
        sent.set(message.id, { lane, fails, at: Date.now() })
        list.push(message)
      }
      await producer.send(list)
      await sleep(everyMs)
    }
  })()
  return {
    sent,
    async stop() {
      on = false
      await sending
    },
  }
}

/** Waits until the log has not grown for a while. */
export async function untilQuiet(readCount, quietMs) {
  let last = -1
  let since = Date.now()
  while (Date.now() - since < quietMs) {
    const count = readCount()
    if (count !== last) {
      last = count
      since = Date.now()
    }
    await sleep(250)
  }
}
