#!/usr/bin/env node
import { realpathSync } from 'node:fs'
import { runCommand } from './command.js'

// A global command is a link: sources that the working directory does not have are looked for beside the file itself.
process.argv[1] = realpathSync(process.argv[1]!)

const ended = new AbortController()
const isRun = process.argv[2] === 'run'
// A program that was started has its signals; it decides when it ends.
if (!isRun) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
// `laneway lanes | head` ends when its reader is gone.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  process.exit(0)
})

void runCommand(process.argv.slice(2), {
  write: text => void process.stdout.write(text),
  writeError: text => void process.stderr.write(text),
  env: process.env,
  folder: process.cwd(),
  isTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns,
  signal: ended.signal,
}).then(
  code => {
    process.exitCode = code
  },
  error => {
    console.error(error)
    process.exitCode = 1
  },
)
