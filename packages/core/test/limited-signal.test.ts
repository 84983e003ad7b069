import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limitedSignal } from '@laneway/core/internal'
import t from 'tap'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const abortOf = (signal: AbortSignal) =>
  new Promise<unknown>(resolve => signal.addEventListener('abort', () => resolve(signal.reason)))

t.test('aborts after its time, though nothing but a listener holds it when the collector runs', async t => {
  const aborted = Array.from({ length: 20 }, () => abortOf(limitedSignal(new AbortController().signal, 300).signal))
  const keepsAlive = setInterval(() => {}, 1000)
  // What this turn still holds goes with the next ones.
  for (let turn = 0; turn < 4; turn++) {
    await sleep(1)
    collect()
  }
  for (const reason of await Promise.all(aborted)) t.equal((reason as Error).name, 'TimeoutError')
  clearInterval(keepsAlive)
})

t.test('aborts with the other signal', async t => {
  const other = new AbortController()
  const { signal } = limitedSignal(other.signal, 60_000)
  other.abort(new Error('closed'))
  t.match(signal.reason, { message: 'closed' })
  t.match(limitedSignal(other.signal, 60_000).signal.reason, { message: 'closed' })
})

t.test('never aborts once it is released', async t => {
  const other = new AbortController()
  const { signal, release } = limitedSignal(other.signal, 1)
  release()
  other.abort()
  await sleep(20)
  t.notOk(signal.aborted)
  t.notOk(limitedSignal(undefined, 60_000).signal.aborted)
})
