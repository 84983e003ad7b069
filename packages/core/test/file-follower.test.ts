import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FileFollower } from '@laneway/core/internal'
import t from 'tap'

/** Waits for progress: on a loaded machine a look takes its time. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5)
}

for (const watch of [false, true]) {
  t.test(`changes are reported however the file is replaced, ${watch ? 'with' : 'without'} a watch`, async t => {
    const folder = t.testdir({ a: '1', b: '1' })
    const file = join(folder, 'a')
    let changes = 0
    const follower = new FileFollower([file], () => changes++, { intervalMs: 10, watch })
    t.teardown(() => follower.close())
    const steps: Record<string, () => void> = {
      'written in place': () => writeFileSync(file, '22'),
      'renamed over': () => {
        writeFileSync(join(folder, 'next'), '333')
        renameSync(join(folder, 'next'), file)
      },
      gone: () => rmSync(file),
      'back as a link': () => symlinkSync(join(folder, 'b'), file),
      'another target of the link': () => {
        symlinkSync(join(folder, 'folder-that-is-not-there'), join(folder, 'link'))
        renameSync(join(folder, 'link'), file)
      },
    }
    for (const [name, step] of Object.entries(steps)) {
      const before = changes
      step()
      await until(() => changes > before)
      t.pass(name)
    }
  })
}

t.test('a change that could not be used is reported again, and one that was taken over is not', async t => {
  const file = join(t.testdir({ a: '1' }), 'a')
  let isUsable = false
  let changes = 0
  const follower = new FileFollower(
    [file],
    () => {
      changes++
      return isUsable
    },
    { intervalMs: 5 },
  )
  t.teardown(() => follower.close())
  writeFileSync(file, '22')
  await until(() => changes >= 3)
  isUsable = true
  const before = changes
  await until(() => changes > before)
  const settled = changes
  writeFileSync(file, '333')
  follower.refresh()
  await sleep(50)
  t.equal(changes, settled)
})

t.test('further files may be followed later', async t => {
  const folder = t.testdir({ a: '1', b: '1' })
  let changes = 0
  const follower = new FileFollower([join(folder, 'a')], () => changes++, { intervalMs: 5, watch: true })
  follower.follow([join(folder, 'a'), join(folder, 'b')])
  writeFileSync(join(folder, 'b'), '22')
  await until(() => changes > 0)
  follower.close()
  const settled = changes
  writeFileSync(join(folder, 'b'), '333')
  await sleep(50)
  t.equal(changes, settled, 'a closed follower reports nothing')
})
