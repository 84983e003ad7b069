import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { nodeBinary } from '../../../../scripts/node-versions.mjs'

/** Runs a program of this folder with another Node; its results count as those of the test. */
export async function onNode(t: Test, major: number, program: string, environment: Record<string, string> = {}) {
  const node = await nodeBinary(major)
  if (node === undefined) return t.pass(`there is no Node ${major} on this machine`, { skip: true })
  const file = fileURLToPath(new URL(program, import.meta.url))
  await t.spawn(
    node,
    ['--import', 'tsx', '--conditions=@laneway/source', file],
    { env: { ...process.env, NODE_OPTIONS: '', ...environment } },
    `${program} on Node ${major}`,
  )
}
