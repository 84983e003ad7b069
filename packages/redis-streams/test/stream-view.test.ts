import t from 'tap'
import type { StreamLedger, StreamLook } from '../src/isolation/stream-ledger.js'
import { StreamView } from '../src/isolation/stream-view.js'
import { resolveStreamOptions } from '../src/lane-stream-options.js'

/** A ledger that answers when the test says so. */
function ledger() {
  const answers: ((look: Partial<StreamLook>) => void)[] = []
  const look = () =>
    new Promise<StreamLook>(resolve =>
      answers.push(said =>
        resolve({ lastMs: 0, intervals: new Map(), living: new Set(), orphaned: new Set(), ...said }),
      ),
    )
  return { answers, ledger: { look } as unknown as StreamLedger }
}

const client = { call: async () => {}, duplicate() {} }
const settings = resolveStreamOptions({ client, stream: 's', group: 'g', handler() {}, lookMs: 60_000 })
const gray = (fromMs: number) => new Map([['gray', [{ fromMs, untilMs: undefined }]]])
const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('an entry is decided by a look that is younger than the entry, and by no other', async t => {
  const { answers, ledger: store } = ledger()
  const view = new StreamView(store, 'me', settings, () => {})
  const started = view.start()
  answers[0]!({ lastMs: 100 })
  await started
  t.equal(await view.ownerOf(['gray'], 100), undefined, 'the entry was there when the ledger was looked at')
  t.equal(answers.length, 1)

  const owner = view.ownerOf(['blue', 'gray'], 101)
  t.equal(answers.length, 2, 'a newer one asks')
  answers[1]!({ lastMs: 101, intervals: gray(101) })
  t.equal(await owner, 'gray')
  t.equal(await view.ownerOf(['gray'], 100), undefined)

  // Both share a look that was sent before the second entry was there.
  const first = view.ownerOf(['gray'], 102)
  const second = view.ownerOf(['gray'], 103)
  t.equal(answers.length, 3)
  answers[2]!({ lastMs: 102, intervals: gray(101) })
  t.equal(await first, 'gray')
  await turn()
  t.equal(answers.length, 4)
  answers[3]!({ lastMs: 103, intervals: new Map() })
  t.equal(await second, undefined)
  await view.close()
})
