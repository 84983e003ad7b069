import { execFile } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What figures depend on besides the code. */
export interface Setting {
  readonly node: string
  readonly v8: string
  readonly machine: string
  readonly commit: string
  /** Jobs waiting for a processor when the run began. */
  readonly load: number
  readonly date: string
  readonly text: string
}

export function majorOf({ node }: Pick<Setting, 'node'>): number {
  return Number.parseInt(node, 10)
}

export async function describeSetting(node: string): Promise<Setting> {
  const versions = JSON.parse((await run(node, ['-p', 'JSON.stringify(process.versions)'])).stdout)
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const git = async (...args: string[]): Promise<string> => {
    try {
      return (await run('git', args, { cwd: root })).stdout.trim()
    } catch {
      return ''
    }
  }
  const changed = (await git('status', '--porcelain', '--untracked-files=no', 'packages')) === '' ? '' : ' with changes'
  const commit = `${(await git('rev-parse', '--short', 'HEAD')) || 'no commit'}${changed}`
  const all = cpus()
  const machine = `${all.length} x ${all[0]?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}`
  const load = Math.round(loadavg()[0]! * 10) / 10
  const date = new Date().toISOString().slice(0, 10)
  return {
    node: versions.node,
    v8: versions.v8,
    machine,
    commit,
    load,
    date,
    text: `Node ${versions.node}, V8 ${versions.v8}, ${machine}, load ${load}, commit ${commit}, ${date}`,
  }
}
