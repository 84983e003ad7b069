// A producer under way: batches of messages, three tenths of lane gray, one tenth of a lane that has no consumers.
import { closeSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** How far consumers may be behind. On a machine that is slower than the traffic a run would work off a backlog for ever. */
const MOST_AHEAD = 300
/** The longest wait for them: they may be the ones that are tested. */
const PATIENCE_MS = 3000

/** Begins to send. `stop()` resolves once the last batch is confirmed; nothing is asked after it. @param log - where consumers write what they handle */
export function startTraffic(producer, { batch = 10, everyMs = 50, grayTenths = 3, failEvery = 0, log }) {
  const sent = new Map()
  const handled = log === undefined ? undefined : lineCounter(log)
  let on = true
  let next = 0
  const sending = (async () => {
    while (on) {
      const end = Date.now() + PATIENCE_MS
      while (on && handled !== undefined && sent.size - handled.count() > MOST_AHEAD && Date.now() < end)
        await sleep(50)
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
    /** How many lines consumers have written. */
    handled: () => handled.count(),
    async stop() {
      on = false
      await sending
      handled?.close()
    },
  }
}

/** Counts the lines of a file that grows. */
function lineCounter(path) {
  const file = openSync(path)
  const chunk = Buffer.alloc(65_536)
  let lines = 0
  return {
    count() {
      for (let size = readSync(file, chunk); size > 0; size = readSync(file, chunk)) {
        for (let i = 0; i < size; i++) if (chunk[i] === 10) lines++
      }
      return lines
    },
    close: () => closeSync(file),
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
