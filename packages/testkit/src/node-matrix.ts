import { execFile } from 'node:child_process'
import type { Test } from 'tap'
import { nodeBinary } from '../../../scripts/node-versions.mjs'

/** The majors that Laneway supports. */
const MAJORS = [20, 22, 24, 26]

/**
 * Runs test files on every other supported major of Node, each in a process of its own. A major whose binary cannot be
 * had is skipped, and says so.
 *
 * @param files - relative to the repository
 */
export async function nodeMatrix(t: Test, files: readonly string[]): Promise<void> {
  for (const major of MAJORS) {
    if (process.versions.node.startsWith(`${major}.`)) continue
    const binary = await nodeBinary(major)
    for (const file of files) {
      const skip = binary === undefined ? `no binary of Node ${major}` : false
      await t.test(`Node ${major}: ${file}`, { skip }, async t => {
        const { code, output } = await run(binary!, file)
        t.match(output, /^1\.\.\d+$/m, 'it ran to its end')
        t.strictSame(output.match(/^ *not ok .*$/gm) ?? [], [])
        t.equal(code, 0)
      })
    }
  }
}

function run(binary: string, file: string): Promise<{ code: number; output: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', TAP: '1', TAP_TIMEOUT: '300' }
  return new Promise(resolve => {
    const args = ['--import=tap', '--import=tsx', '--conditions=@laneway/source', file]
    execFile(binary, args, { env, maxBuffer: 1 << 26, timeout: 300_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code ?? 1)
      resolve({ code, output: code === 0 ? stdout : `${stdout}\n${stderr}` })
    })
  })
}
