#!/usr/bin/env node
import { runCli } from './cli.js'

const ended = new Promise(resolve => {
  process.once('SIGINT', resolve)
  process.once('SIGTERM', resolve)
})

void runCli(process.argv.slice(2), {
  write: text => void process.stdout.write(text),
  writeError: text => void process.stderr.write(text),
  ended,
}).then(code => {
  process.exitCode = code
})
