// How PM2's fork mode starts a program: a script of its own puts the program in its place and loads it.
const Module = require('node:module')
const { resolve } = require('node:path')

process.argv[1] = resolve(process.env.pm_exec_path)
if (process.env.pm_esm) import(process.argv[1])
else {
  require.main = { ...require.main, filename: process.argv[1] }
  Module._load(process.argv[1], null, true)
}
