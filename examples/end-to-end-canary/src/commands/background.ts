import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PlayOptions } from '../options.js'
import { type Control, findPlay, type Outcome, send, stateFolder } from './control.js'

/** A play starts in about two seconds; a busy machine gets its time. */
const START_LIMIT_MS = 60_000

/** Starts a play that outlives this process. @throws Error with what it said when it does not start */
export async function startInBackground(options: PlayOptions, manifests: string): Promise<Control> {
  const folder = stateFolder()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const output = join(folder, 'output.txt')
  const file = openSync(output, 'w')
  const program = fileURLToPath(new URL('../daemon.ts', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, program, JSON.stringify(options), manifests], {
    detached: true,
    stdio: ['ignore', file, file],
  })
  closeSync(file)
  child.unref()
  let ended = false
  child.once('exit', () => {
    ended = true
  })
  const end = Date.now() + START_LIMIT_MS
  while (!ended && Date.now() < end) {
    const control = findPlay(folder)
    if (control !== undefined) return control
    await new Promise(resolve => setTimeout(resolve, 30))
  }
  throw new Error(`the play does not start\n${readFileSync(output, 'utf8')}`)
}

/** Has the play in the background run a command. @throws Error when there is none */
export async function commandInBackground(argv: readonly string[], cwd: string): Promise<Outcome> {
  const control = findPlay(stateFolder())
  if (control === undefined) throw new Error('error: nothing is played; begin with: npm run demo -- apply')
  return send(control, argv, cwd)
}
