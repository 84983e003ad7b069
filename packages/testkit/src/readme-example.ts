import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What an example printed. */
export interface ExampleRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a fenced `ts` or `js` block of a package's README as it stands, in a process of its own: against the sources, or
 * in the application of `EXAMPLES_FOLDER`, against the packages that are installed there.
 *
 * @param folder - the package, e.g. `packages/core`; relative to the repository
 * @param index - which block, from 0
 * @param environment - added to the environment
 */
export async function readmeExample(
  folder: string,
  index = 0,
  environment: Record<string, string> = {},
): Promise<ExampleRun> {
  const blocks = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```(?:ts|js)\n([\s\S]*?)^```$/gm)]
  const source = blocks[index]?.[1]
  if (source === undefined) throw new Error(`${folder}/README.md has no code block number ${index}`)
  const application = process.env['EXAMPLES_FOLDER']
  const place = join(application ?? join(folder, 'test'), `.readme-${process.pid}-${index}`)
  mkdirSync(place, { recursive: true })
  const file = join(place, 'example.mts')
  writeFileSync(file, source)
  try {
    return await run(file, environment, application === undefined ? ['--conditions=@laneway/source'] : [])
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function run(file: string, environment: Record<string, string>, conditions: string[]): Promise<ExampleRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', ...conditions, file], {
      env: { ...process.env, ...environment, NODE_OPTIONS: '' },
      timeout: 300_000,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => (stdout += chunk))
    child.stderr.on('data', chunk => (stderr += chunk))
    child.on('error', reject)
    child.on('close', code => resolve({ code, stdout, stderr }))
  })
}
