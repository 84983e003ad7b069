#!/usr/bin/env node
import { runCommand } from './command/command.js'

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())

void runCommand(process.argv.slice(2), {
  write: line => console.log(line),
  writeError: line => console.error(line),
  env: process.env,
  signal: ended.signal,
}).then(code => {
  process.exitCode = code
})
