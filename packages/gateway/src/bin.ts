#!/usr/bin/env node
import { runCommand } from './command/command.js'

void runCommand(process.argv.slice(2), {
  out: process.stdout,
  writeError: line => console.error(line),
  onSignal: listener => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => listener(signal))
  },
}).then(
  code => {
    process.exitCode = code
  },
  error => {
    console.error(error)
    process.exitCode = 1
  },
)
