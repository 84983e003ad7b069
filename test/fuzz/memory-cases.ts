// That nothing remembers what the network says: measured in a process of its own.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { FuzzCase } from './fuzz-case.js'

const MOST_GROWTH_MB = 20
/** Young objects get little room, so that growth is what is kept and not what V8 reserves under load. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=4']

export const memoryCases: readonly FuzzCase[] = [
  growth('tag', 1_000_000, 10_000_000),
  growth('host', 200_000, 1_000_000),
]

function growth(kind: string, short: number, long: number): FuzzCase {
  return {
    name: `memory: distinct ${kind}s, RSS grows by at most ${MOST_GROWTH_MB} MB`,
    async run(scale) {
      const count = scale.long ? long : short
      const program = fileURLToPath(new URL('./grow.ts', import.meta.url))
      const args = ['--import', 'tsx', '--conditions=@laneway/source', ...FLAGS, program, kind, String(count)]
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 300_000 })
      const grown = Number(stdout)
      console.log(`${' '.repeat(19)}${count} ${kind}s: RSS grew by ${grown.toFixed(1)} MB`)
      if (!(grown <= MOST_GROWTH_MB)) throw new Error(`RSS grew by ${grown.toFixed(1)} MB`)
      return count
    },
  }
}
